// Command demo plays the whole story on one machine: an agent runs, a stranger verifies, then the host turns hostile, and each time
// the verdict turns or the start is refused. It ends with exit 1 if anything was not caught.
//
//	demo BINARY
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo BINARY")
		os.Exit(64)
	}
	dir, err := os.MkdirTemp("", "teapot-demo-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(2)
	}
	s := newStage(os.Args[1], dir)
	s.play()
	_ = os.RemoveAll(dir) // a temporary directory of our own
	if s.wrong > 0 {
		fmt.Printf("\n%d of %d steps went wrong\n", s.wrong, s.steps)
		os.Exit(1)
	}
	fmt.Printf("\nall %d steps as promised: one verdict met under simulation, every tampering caught\n", s.steps)
}

// play is the story, in order.
func (s *stage) play() {
	s.title("An agent runs in a simulated TEE, and somebody talks to it")
	s.start()
	s.say("Hello, who are you?")
	s.title("A stranger verifies")
	s.expect("met under simulation (exit 0, headline SIMULATED)", s.verify(s.url(), "--allow-simulated"), 0, "SIMULATED")
	s.expect("without the flag: refused", s.verify(s.url()), 1, "hardware.root")

	s.title("Everything so far is copied: an old disk for later")
	s.stop()
	old := s.copyData("old")
	s.start()
	s.say("What did I just say?")
	s.expect("still met; this machine now remembers the newer head", s.verify(s.url(), "--allow-simulated"), 0, "SIMULATED")

	s.lies()

	s.title("The host edits an entry on disk")
	s.stop()
	good := s.copyData("good")
	s.edit()
	s.refused("a changed byte in a segment")
	s.restore(good)

	s.title("The host deletes entries on disk")
	s.deleteSegment()
	s.refused("a segment is missing")
	s.restore(good)

	s.title("The host puts the old disk back")
	s.restore(old)
	s.start()
	s.expect("the second look notices", s.verify(s.url(), "--allow-simulated"), 1, "rollback")
	s.stop()

	s.title("The right disk again")
	s.restore(good)
	s.start()
	s.expect("met again", s.verify(s.url(), "--allow-simulated"), 0, "SIMULATED")
	s.stop()
}
