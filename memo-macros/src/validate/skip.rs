//! `skip` names arguments.

use memo_text::nearest;
use syn::Ident;

use super::rules::Rules;

impl Rules<'_> {
    /// `skip` names arguments, each once, and whole.
    pub(super) fn skip(&mut self) {
        let skipped = &self.model.options.skip.0;
        let all: Vec<String> =
            self.model.args.iter().flat_map(|arg| &arg.bindings).map(Ident::to_string).collect();
        for (index, name) in skipped.iter().enumerate() {
            let message = if skipped[..index].contains(name) {
                format!("`{name}` is skipped twice: name it once")
            } else if name == "self" {
                "`skip` names arguments, and `self` is none: write `receiver = \"skip\"`".to_owned()
            } else if name == "_" {
                "an argument needs a name to be skipped: give it one, such as `_unused`".to_owned()
            } else if let Some(arg) = self.model.args.iter().find(|arg| arg.bindings.contains(name)) {
                match arg.bindings.iter().find(|other| !skipped.contains(other)) {
                    Some(other) => {
                        format!("`{name}` is a part of an argument: skip `{other}` too, or give a `key`")
                    }
                    None => continue,
                }
            } else if let Some(nearest) = nearest(&name.to_string(), all.iter().map(String::as_str)) {
                format!("no argument is called `{name}`: did you mean `{nearest}`?")
            } else if all.is_empty() {
                format!("no argument is called `{name}`: there are none, remove `skip`")
            } else {
                format!("no argument is called `{name}`: there are `{}`", all.join("`, `"))
            };
            self.refuse(name.span(), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::tests::{accepts, errors, refuses};

    #[test]
    fn skip_names_arguments() {
        let function = "fn f(user: u8, page: u8, (a, b): (u8, u8), _: u8) -> u8 { 1 }";
        accepts("skip(user, a, b)", function);
        refuses("skip(usr)", function, "no argument is called `usr`: did you mean `user`?");
        refuses(
            "skip(database)",
            function,
            "no argument is called `database`: there are `user`, `page`, `a`, `b`",
        );
        refuses("skip(user, user)", function, "`user` is skipped twice: name it once");
        refuses(
            "skip(self)",
            function,
            "`skip` names arguments, and `self` is none: write `receiver = \"skip\"`",
        );
        refuses(
            "skip(_)",
            function,
            "an argument needs a name to be skipped: give it one, such as `_unused`",
        );
        refuses("skip(a)", function, "`a` is a part of an argument: skip `b` too, or give a `key`");
        refuses("skip(a)", "fn f() -> u8 { 1 }", "no argument is called `a`: there are none, remove `skip`");
        assert_eq!(errors("skip(usr, pagee)", function).len(), 2);
    }
}
