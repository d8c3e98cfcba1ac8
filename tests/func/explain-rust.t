# explain: programs of Rust that panic, and those that look alike.
# shellcheck disable=SC3045 # every sh has ulimit -c
. "$TOP/tests/func/lib.sh"
plain_build
ulimit -c unlimited 2>/dev/null || skip_all "no core files: $(grep core /proc/self/limits)"
is_root || skip_all "needs root: core_pattern is set"
# rustup's are in the user's own directory, which is not $HOME here.
home=$(getent passwd "$(id -u)" | cut -d: -f6)
have rustc || PATH=$PATH:$home/.cargo/bin
[ ! -d "$home/.rustup" ] || export RUSTUP_HOME="$home/.rustup"
have rustc || skip_all "no rustc"
own_core_pattern "$PWD/core.of"

cat >panic.rs <<'END'
extern "C" fn callback(k: usize) { if k > 0 { panic!("in a callback {}", k); } }
struct Second;
impl Drop for Second { fn drop(&mut self) { panic!("in a destructor"); } }
#[inline(never)] fn element(v: &[i32], i: usize) -> i32 { v[i] }
fn main() {
    let how = std::env::args().nth(1).unwrap();
    let n = std::env::args().count();
    match how.as_str() {
        "text" => panic!("plain text"),
        "format" => panic!("{} arguments, {}", n, how),
        "index" => println!("{}", element(&[1, 2, 3], n + 5)),
        "none" => println!("{}", None::<usize>.filter(|_| n > 100).unwrap()),
        "equal" => assert_eq!(n, 77, "counts"),
        "number" => std::panic::panic_any(n as i32),
        "string" => std::panic::panic_any(String::from("an owned string")),
        "thread" => { let _ = std::thread::spawn(move || if n > 0 { panic!("in a thread") }).join(); }
        "callback" => callback(n),
        "second" => { let _s = Second; panic!("the first one"); }
        "abort" => std::process::abort(),
        "after" => { let _ = std::panic::catch_unwind(|| panic!("caught long ago")); std::process::abort(); }
        "memory" => println!("{}", Vec::<u8>::with_capacity(n << 45).capacity()),
        _ => {}
    }
}
END
rustc -C panic=abort -C opt-level=0 -g -o panic panic.rs 2>complaint || skip_all "rustc: $(head -c 200 complaint)"
rustc -C panic=abort -C opt-level=2 -C strip=symbols -o stripped panic.rs 2>complaint
rustc -C opt-level=0 -o unwinds panic.rs 2>complaint

# panics PROGRAM HOW CONFIDENCE KIND PATTERN
panics()
{
	rm -f core.of
	(exec 9<&-; RUST_BACKTRACE=0 exec "./$1" "$2") >said 2>&1
	ok "$1, $2: there is a verdict" "$TAGCORE" explain core.of
	like "$1, $2: the sentence" "$(sed -n 1p out)" "$5"
	like "$1, $2: the kind, and how sure" "$(sed -n 2p out)" "$3 ($4): *"
}
panics panic text certain rust-panic 'a Rust panic in panic::main at panic.rs:9: plain text'
panics panic format certain rust-panic 'a Rust panic in panic::main at panic.rs:10: 2 arguments, format'
panics panic index certain rust-panic 'a Rust panic in panic::element at panic.rs:4: index out of bounds: the len is 3 but the index is 7'
panics panic none certain rust-panic 'a Rust panic in panic::main at panic.rs:12: called *unwrap()* on a *None* value'
panics panic equal certain rust-panic 'a Rust panic in panic::main at panic.rs:13: *counts*left: 2*right: 77'
panics panic number certain rust-panic 'a Rust panic in panic::main at panic.rs:14, with a payload that is no text'
panics panic string certain rust-panic 'a Rust panic in panic::main at panic.rs:15: an owned string'
panics panic thread certain rust-panic 'a Rust panic in panic::main::* at panic.rs:16: in a thread'
panics panic memory certain rust-allocation-failed 'there was not enough memory in panic::main: *'
panics unwinds callback certain rust-panic 'a Rust panic could not go on in panic::callback: a function that may not unwind*'
panics unwinds second certain rust-panic 'a Rust panic could not go on in panic::main: a panic within a panic*'
panics stripped format likely rust-panic 'a Rust panic at panic.rs:10: 2 arguments, format'
# Those that look alike.
panics panic abort likely abort 'the program has ended itself by SIGABRT, as abort(3) does in panic::main, *'
panics unwinds after likely abort 'the program has ended itself by SIGABRT, as abort(3) does in panic::main, *'
panics stripped abort likely abort 'the program has ended itself by SIGABRT, as abort(3) does, *'
done_testing
