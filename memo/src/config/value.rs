//! Values as they are given, and as they are understood.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use memo_text::Rate;

use crate::settings::freshness::{Jitter, RefreshAhead};
use crate::settings::{OnError, SingleFlight, WITHOUT_END};
use crate::units::{duration, size};

/// A value given to [`Config`](super::Config), before it is known whether it fits its option: text, a number, a
/// `bool`, a [`Duration`], a path, or an array of texts.
#[derive(Clone, PartialEq)]
pub struct Value(pub(super) Given);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given {
    Text(String),
    /// A number with a fraction, as it is written.
    Fraction(String),
    Integer(i128),
    Bool(bool),
    Duration(Duration),
    Path(PathBuf),
    List(Vec<Given>),
    /// Something that no option takes, in words.
    Other(&'static str),
}

/// The value is left out, since it may be a password.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").finish_non_exhaustive()
    }
}

macro_rules! from {
    ($($from:ty => $value:ident -> $given:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Value($given)
            }
        }
    )*};
}
from! {
    &str => text -> Given::Text(text.to_owned());
    f64 => number -> Given::Fraction(number.to_string());
    String => text -> Given::Text(text);
    bool => flag -> Given::Bool(flag);
    i32 => number -> Given::Integer(number.into());
    i64 => number -> Given::Integer(number.into());
    u32 => number -> Given::Integer(number.into());
    u64 => number -> Given::Integer(number.into());
    usize => number -> Given::Integer(number as i128);
    Duration => length -> Given::Duration(length);
    &Path => path -> Given::Path(path.to_owned());
    PathBuf => path -> Given::Path(path);
    &[&str] => names -> Given::List(names.iter().map(|name| Given::Text((*name).to_owned())).collect());
    Vec<String> => names -> Given::List(names.into_iter().map(Given::Text).collect());
}

impl<const N: usize> From<[&str; N]> for Value {
    fn from(names: [&str; N]) -> Self {
        Value::from(&names[..])
    }
}

impl Given {
    /// In words, for an error.
    pub(super) fn describe(&self) -> String {
        match self {
            Given::Text(text) => format!("the text {text:?}"),
            Given::Integer(number) => format!("the number {number}"),
            Given::Bool(flag) => format!("`{flag}`"),
            Given::Duration(length) => format!("the duration {}", duration(*length)),
            Given::Path(path) => format!("the path {path:?}"),
            Given::List(_) => "an array".to_owned(),
            Given::Fraction(_) => "a number with a fraction".to_owned(),
            Given::Other(what) => (*what).to_owned(),
        }
    }
}

/// What an option is set to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Setting {
    Switch(bool),
    /// `None` is no bound.
    Bound(Option<u64>),
    /// `None` is no lifetime.
    Lifetime(Option<Duration>),
    Ahead(Option<RefreshAhead>),
    Jitter(Option<Jitter>),
    Rate(Option<Rate>),
    Time(Duration),
    Size(u64),
    Number(u64),
    Path(PathBuf),
    Text(String),
    Address(String),
    /// An empty list is `"auto"`.
    Engines(Vec<String>),
    /// An empty list is `"none"`.
    Fallback(Vec<String>),
    Share(SingleFlight),
    OnError(OnError),
    Patience(Duration),
    /// The value of an option that does not apply to the function.
    Nothing,
}

/// As it would be written in a file, without passwords.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Switch(flag) => flag.fmt(f),
            Setting::Bound(Some(number)) | Setting::Number(number) => number.fmt(f),
            Setting::Bound(None) => f.write_str("unbounded"),
            Setting::Lifetime(Some(length)) | Setting::Time(length) => f.write_str(&duration(*length)),
            Setting::Rate(Some(rate)) => f.write_str(&shown_rate(rate)),
            Setting::Rate(None)
            | Setting::Lifetime(None)
            | Setting::Ahead(None)
            | Setting::Jitter(None)
            | Setting::Nothing => f.write_str("none"),
            Setting::Ahead(Some(RefreshAhead::Auto)) => f.write_str("auto"),
            Setting::Ahead(Some(RefreshAhead::From(part))) => write!(f, "{}", f64::from(*part) / 1000.0),
            Setting::Jitter(Some(Jitter(part))) => write!(f, "{}%", f64::from(*part) / 10.0),
            Setting::Size(bytes) => f.write_str(&size(*bytes)),
            Setting::Path(path) => path.display().fmt(f),
            Setting::Text(text) => f.write_str(text),
            Setting::Address(address) => f.write_str(&without_password(address)),
            Setting::Engines(names) if names.is_empty() => f.write_str("auto"),
            Setting::Fallback(names) if names.is_empty() => f.write_str("none"),
            Setting::Engines(names) | Setting::Fallback(names) => f.write_str(&names.join(", ")),
            Setting::Share(share) => share.fmt(f),
            Setting::OnError(on_error) => on_error.fmt(f),
            Setting::Patience(WITHOUT_END) => f.write_str("never"),
            Setting::Patience(patience) => f.write_str(&duration(*patience)),
        }
    }
}

/// As it is written in a file.
impl fmt::Display for SingleFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SingleFlight::Off => "false",
            SingleFlight::Process => "process",
            SingleFlight::Machine => "machine",
            SingleFlight::Fleet => "fleet",
        })
    }
}

/// As it is written in a file.
impl fmt::Display for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OnError::One => "one",
            OnError::All => "all",
        })
    }
}

/// As it is written in a file: `100/s`, and what else there is to say.
fn shown_rate(Rate { count, per, burst }: &Rate) -> String {
    let per = duration(*per);
    // one second is `s`
    let unit = per.strip_prefix('1').filter(|unit| unit.chars().all(char::is_alphabetic)).unwrap_or(&per);
    match burst == count {
        true => format!("{count}/{unit}"),
        false => format!("{count}/{unit} burst {burst}"),
    }
}

/// A URL with stars for its password and for what stands behind a `?`.
fn without_password(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, _)) => (rest, "?***"),
        None => (rest, ""),
    };
    // up to the last `@`, since a password may hold an `@` or a `/` that should have been escaped
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:***@{host}"),
            None => format!("***@{host}"),
        },
        None => rest.to_owned(),
    };
    format!("{scheme}{rest}{query}")
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let cases = [
            ("redis://cache:6379", "redis://cache:6379"),
            ("rediss://app:se:c@re/t@cache:6379/0", "rediss://app:***@cache:6379/0"),
            ("redis://:secret@cache", "redis://:***@cache"),
            ("redis://token@cache", "redis://***@cache"),
            ("app:secret@cache", "app:***@cache"),
            ("redis://cache?password=secret", "redis://cache?***"),
            ("unix:///run/redis.sock?pass=secret", "unix:///run/redis.sock?***"),
        ];
        for (address, shown) in cases {
            assert_eq!(Setting::Address(address.to_owned()).to_string(), shown);
        }
        assert_eq!(format!("{:?}", Value::from("secret")), "Value(..)");
    }
}
