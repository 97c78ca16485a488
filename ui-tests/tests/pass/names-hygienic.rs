//! No name of the generated code is seen by the author's code, nor the other way round.
use memo::memoize;

const FUNCTION: u64 = 1;
static OUTCOME: u64 = 1;

#[memoize]
fn in_scope(a: u64) -> u64 {
    a + FUNCTION + OUTCOME
}

#[memoize]
fn as_arguments(key: u64, outcome: u64, missed: u64, result: u64, hooks: u64, part0: u64, op: u64) -> u64 {
    key + outcome + missed + result + hooks + part0 + op
}

#[memoize]
async fn as_async_arguments(key: u64, outcome: u64, missed: u64, result: u64, computation: u64) -> u64 {
    key + outcome + missed + result + computation
}

#[memoize(key = (key, result))]
fn in_a_key(key: u64, result: u64, value: u64) -> u64 {
    key + result + value
}

#[memoize(ttl_of = |value| { let result = value; let hooks = result; let _ = hooks; None })]
fn in_options(this: u64, calls: u64, value: u64, element: Option<&u64>) -> u64 {
    this + calls + value + element.copied().unwrap_or(0)
}

#[memoize]
fn like_its_argument(like_its_argument: u64) -> u64 {
    like_its_argument
}

#[memoize]
fn vec(println: u64) -> Vec<u64> {
    println!("{println}");
    vec![println]
}

#[memoize]
fn assert_eq(a: u64) -> u64 {
    a
}

#[memoize]
fn r#fn(r#type: u64, r#in: &str) -> u64 {
    r#type + r#in.len() as u64
}

#[memoize(skip(r#match))]
fn r#struct<'r, r#Type: Clone + Eq + std::hash::Hash + Send + Sync + 'static>(
    a: r#Type,
    r#match: &'r str,
) -> r#Type {
    let _ = r#match;
    a
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Words;

impl Words {
    #[memoize(receiver = "skip")]
    fn r#loop(&self, r#while: u64) -> u64 {
        r#while
    }

    #[memoize]
    fn site(function: u64) -> u64 {
        function
    }

    #[memoize(receiver = "value")]
    fn control(&self, this: u64, op: u64, value: u64) -> u64 {
        this + op + value
    }
}

fn main() {
    assert_eq!(in_scope(1), 3);
    assert_eq!(as_arguments(1, 2, 3, 4, 5, 6, 7), 28);
    assert_eq!(as_arguments::peek(1, 2, 3, 4, 5, 6, 7), Some(28));
    let _ = as_async_arguments(1, 2, 3, 4, 5);
    assert_eq!(in_a_key(1, 2, 3), 6);
    assert_eq!(in_a_key::peek(1, 2, 0), Some(6));
    assert_eq!(in_options(1, 2, 3, None), 6);
    assert_eq!(like_its_argument(1), 1);
    assert_eq!(like_its_argument::peek(1), Some(1));
    assert_eq!(vec(1), [1]);
    assert_eq!(vec::peek(1), Some(vec![1]));
    assert_eq!(assert_eq(1), 1);
    assert_eq!(r#fn(1, "a"), 2);
    assert_eq!(r#fn::peek(1, "a"), Some(2));
    assert_eq!(r#struct(1, "a"), 1);
    assert_eq!(Words.r#loop(1), 1);
    assert_eq!(Words::loop_memo().peek(1), Some(1));
    assert_eq!(Words::site(1) + Words.control(1, 2, 3), 7);
    assert_eq!(Words::site_memo().peek(1), Some(1));
    assert_eq!(Words::control_memo().peek((&Words, 1, 2, 3)), Some(6));
}
