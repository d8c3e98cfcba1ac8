# Stacks of Go's runtime: the same live, of a full core and of one of stacks only, and nothing beyond where they begin.
. "$TOP/tests/func/runtime.sh"
need_ptrace

cat >pure.go <<'END'
package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

var mu sync.Mutex

func deep(n int) int {
	if n == 0 {
		mu.Lock()
		return 1
	}
	return deep(n-1) + 1
}

func main() {
	mu.Lock()
	go deep(10)
	go func() {
		b := make([]byte, 1)
		r, _, _ := os.Pipe()
		os.NewFile(r.Fd(), "blocking").Read(b)
	}()
	time.Sleep(100 * time.Millisecond)
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
END
cat >with_c.go <<'END'
package main

// #include <unistd.h>
// extern void goCallback(int);
// static void c_wait(void) { pause(); }
// static void c_call(int n) { goCallback(n); }
import "C"
import (
	"fmt"
	"time"
)

//export goCallback
func goCallback(n C.int) {
	if n > 0 {
		C.c_call(n - 1)
	} else {
		fmt.Println("ready")
		C.c_wait()
	}
}

func main() {
	go func() { C.c_call(2) }()
	time.Sleep(time.Hour)
}
END

go_case()
{
	if ! CGO_ENABLED=$2 GO111MODULE=off GOCACHE=$PWD/cache go build -o "$1" "$1.go" 2>go.err; then
		skip "$1" "go cannot build it: $(head -n 1 go.err)"
		return
	fi
	started "$1" "./$1" || { fail "$1: runs"; return; }
	three_ways "$1" "$PID"
	for way in full live mini; do
		matches_not "$1: $way: no frame at an impossible address" "$1.$way" '^#[0-9]+ +0x0000000000[0-9a-f]{6} \?\?'
		matches_not "$1: $way: nothing beyond goexit" "$1.$way" 'no executable memory|return address'
	done
	ended
}

if have go; then
	go_case pure 0
	go_case with_c 1
	matches "with_c: says where the stack was changed" with_c.full 'incomplete: runtime.asmcgocall has changed the stack'
else
	skip "Go" "there is no go"
fi
done_testing
