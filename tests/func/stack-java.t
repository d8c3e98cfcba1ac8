# Stacks of Java, of which the interpreter pushes return addresses itself: the same live, of a full core and of one of stacks only.
. "$TOP/tests/func/runtime.sh"
need_ptrace

cat >Deep.java <<'END'
public class Deep {
	static volatile long sink;
	static final Object never = new Object();
	static int deep(int n) throws Exception {
		if (n == 0) {
			synchronized (never) { never.wait(); }
			return 0;
		}
		return 1 + deep(n - 1);
	}
	static long locked(Object o, long x) {
		long s = x;
		for (int i = 0; i < 5; i++)
			s = s * 31 + i;
		synchronized (o) { s ^= 5; }
		return s + x;
	}
	static Thread start(String name, Runnable r) {
		Thread t = new Thread(null, r, name, 16 << 20);
		t.setDaemon(true);
		t.start();
		return t;
	}
	static void await(Thread t, Thread.State s) throws Exception {
		while (t.getState() != s)
			Thread.yield();
	}
	public static void main(String[] args) throws Exception {
		for (int i = 0; i < 5000; i++)
			sink += locked(new Object(), i);
		Object held = new Object();
		Thread a = start("deep", () -> { try { deep(300); } catch (Exception e) { } });
		await(a, Thread.State.WAITING);
		synchronized (held) {
			Thread b = start("locked", () -> sink += locked(held, 3));
			await(b, Thread.State.BLOCKED);
			System.out.println("ready");
			System.in.read(new byte[1]);
			synchronized (never) { never.wait(); }
		}
	}
}
END

java_case()
{
	name=$1
	shift
	if ! started "$name" java "$@" -Xmx16m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=8m -cp . Deep; then
		fail "$name: runs"
		return
	fi
	three_ways "$name" "$PID"
	awk '/^TID/ { on = / deep:$/ } on' "$name.full" >deep
	num "$name: the interpreter's frames" "$(grep -c '^#' deep)" -gt 300
	matches "$name: what began the thread" deep ' start_thread\+| clone'
	matches_not "$name: that thread is whole" deep incomplete
	ended
}

# Each case is minutes on a busy machine: the second, which has frames of both kinds, is the sample.
if have javac && have java && javac Deep.java 2>javac.err; then
	! soak || java_case interpreted -Xint
	java_case compiled -XX:CompileCommand=quiet -XX:CompileCommand=exclude,Deep::deep
else
	skip "Java" "there is no javac"
fi
done_testing
