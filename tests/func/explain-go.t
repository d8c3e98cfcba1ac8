# explain: programs of Go that panic, and those that look alike.
# shellcheck disable=SC3045 # every sh has ulimit -c
. "$TOP/tests/func/lib.sh"
plain_build
ulimit -c unlimited 2>/dev/null || skip_all "no core files: $(grep core /proc/self/limits)"
is_root || skip_all "needs root: core_pattern is set"
have go || skip_all "no go"
own_core_pattern "$PWD/core.of"

cat >panic.go <<'END'
package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type order struct{ id int }

//go:noinline
func element(v []int, i int) int { return v[i] }

//go:noinline
func id(o *order) int { return o.id }

func main() {
	var o *order
	n := len(os.Args)
	switch os.Args[1] {
	case "text":
		panic("plain text")
	case "error":
		panic(errors.New("an error"))
	case "number":
		panic(40 + n)
	case "struct":
		panic(order{3})
	case "index":
		println(element([]int{1, 2, 3}, n+5))
	case "nil":
		println(id(o))
	case "deadlock":
		<-make(chan int)
	case "goroutine":
		go func() { panic("in a goroutine") }()
		select {}
	case "recovered":
		func() {
			defer func() { recover() }()
			println(id(o))
		}()
		signal.Reset(syscall.SIGABRT)
		syscall.Kill(os.Getpid(), syscall.SIGABRT)
		time.Sleep(time.Minute)
	}
}
END
export GOCACHE="$PWD/cache" GO111MODULE=off HOME="$PWD" GOTOOLCHAIN=local
go build -o panic panic.go 2>complaint || skip_all "go build: $(head -c 200 complaint)"

# panics HOW KIND PATTERN
panics()
{
	rm -f core.of
	(exec 9<&-; GOTRACEBACK=crash exec ./panic "$1") >said 2>&1
	ok "$1: there is a verdict" "$TAGCORE" explain core.of
	like "$1: the sentence" "$(sed -n 1p out)" "$3"
	like "$1: the kind" "$(sed -n 2p out)" "* ($2): *"
}
panics text go-panic 'a Go program has panicked in main.main: plain text'
panics error go-panic 'a Go program has panicked in main.main: an error'
panics number go-panic 'a Go program has panicked in main.main: 42'
panics struct go-panic 'a Go program has panicked in main.main; the value is not known'
panics index go-panic 'a Go program has panicked in main.element: runtime error: index out of range \[7\] with length 3'
panics nil go-panic 'a Go program has panicked*: runtime error: invalid memory address or nil pointer dereference'
panics goroutine go-panic 'a Go program has panicked in main.*: in a goroutine'
panics deadlock go-fatal-error 'the Go runtime has ended the program: fatal error: all goroutines are asleep - deadlock!'
# Not for the panic that it has recovered from.
panics recovered abort 'the program has ended itself by SIGABRT, *'
done_testing
