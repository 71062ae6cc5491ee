//! Runs cases whose user stack is known by construction. See ../stacks/case.h. Names are
//! not mangled, so they are the same with all compiler versions.

use std::arch::asm;
use std::hint::black_box;
use std::panic::{catch_unwind, set_hook};

/// getpgid(pid): 0 takes the stack.
#[inline(always)]
fn say(pid: i64) {
    unsafe {
        asm!("syscall", inlateout("rax") 121i64 => _, in("rdi") pid, out("rcx") _, out("r11") _);
    }
}

const CASE_NUMBER: i64 = 0x4000_0000;

#[no_mangle]
#[inline(never)]
pub fn inner(a: i32) -> i32 {
    say(0);
    a + 1
}

#[no_mangle]
#[inline(never)]
pub fn outer(a: i32) -> i32 {
    black_box(inner(black_box(a))) * 2
}

#[no_mangle]
#[inline(never)]
pub fn plain() {
    black_box(outer(1));
}

/// The closure is called by a function of the standard library.
#[no_mangle]
#[inline(never)]
pub fn sorts() {
    let mut values: Vec<i32> = (0..100).map(|i| (i * 37) % 100).collect();
    values.sort_by_key(|&v| black_box(inner(v)));
    black_box(&values);
}

struct Guard(i32);

#[no_mangle]
#[inline(never)]
pub fn dropped(a: i32) {
    black_box(inner(a));
}

impl Drop for Guard {
    #[inline(never)]
    fn drop(&mut self) {
        dropped(self.0);
        black_box(&self.0);
    }
}

#[no_mangle]
#[inline(never)]
pub fn panics(a: i32) -> i32 {
    let guard = Guard(a);
    if black_box(a) > 0 {
        panic!("known");
    }
    guard.0
}

#[no_mangle]
#[inline(never)]
pub fn catches() {
    set_hook(Box::new(|_| ()));
    black_box(catch_unwind(|| black_box(panics(1))).is_err());
}

#[no_mangle]
#[inline(never)]
pub fn thread() {
    std::thread::spawn(|| black_box(outer(1))).join().unwrap();
}

#[no_mangle]
#[inline(never)]
pub fn run(case: fn()) {
    case();
    black_box(());
}

fn main() {
    let cases: [(&str, &str, fn()); 4] = [
        ("plain", "inner outer plain run @stacks+ main", plain),
        ("sorts", "inner @stacks+ sorts run @stacks+ main", sorts),
        ("catches", "inner dropped @stacks+ panics @stacks* catches run @stacks+ main", catches),
        ("thread", "inner outer @stacks+ start_thread|@libc.so.6 clone3|__clone3|clone|__clone|@libc.so.6", thread),
    ];
    for (n, (name, stacks, case)) in cases.iter().enumerate() {
        println!("{n} {name}: {stacks}");
        say(CASE_NUMBER + n as i64);
        run(*case);
        say(CASE_NUMBER - 1);
    }
}
