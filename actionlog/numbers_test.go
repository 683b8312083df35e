package actionlog_test

import (
	"testing"

	"github.com/teapot-tee/teapot/actionlog/disk/disktest"
)

// The newest number is that of a log with a segment; what else lies there does not count.
func TestNewestLogNumber(t *testing.T) {
	d := disktest.New()
	s := openStore(t, memoryOptions(d))
	defer s.Close()
	if n, some, err := s.Newest(agentID); n != 0 || some || err != nil {
		t.Errorf("an empty store: %d %v %v", n, some, err)
	}
	boot(t, openLog(t, s), 0)
	for _, name := range []string{"-10/00000001.segment", "-9/00000001.segment", "-11/00000001.keys", "-012/00000001.segment", "-x/00000001.segment", "x-13/00000001.segment"} {
		d.Put("logs/"+agentID+name, []byte{})
	}
	if n, some, err := s.Newest(agentID); n != 10 || !some || err != nil {
		t.Errorf("%d %v %v", n, some, err)
	}
	if _, some, err := s.Newest("11111111-2222-4333-8444-555555555555"); some || err != nil {
		t.Errorf("another agent: %v %v", some, err)
	}
}
