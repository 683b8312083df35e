package limit

import (
	"net/http"
	"testing"
	"time"
)

func TestBucketRefillsAtItsRate(t *testing.T) {
	now := time.Unix(1000, 0)
	b := Bucket{Rate: 2, Burst: 3}
	for i := range 3 {
		if !b.Allow(now) {
			t.Fatalf("token %d of the burst refused", i)
		}
	}
	if b.Allow(now) {
		t.Error("a fourth token out of a burst of three")
	}
	if !b.Allow(now.Add(500 * time.Millisecond)) {
		t.Error("no token after half a second at two per second")
	}
	if b.Allow(now.Add(400 * time.Millisecond)) {
		t.Error("a clock that goes back gave a token")
	}
}

func TestOpenGivesEachAddressItsShare(t *testing.T) {
	o := Open{Most: 4, Share: 2}
	from := func(a string) *http.Request { return &http.Request{RemoteAddr: a + ":1"} }
	var leave []func()
	for _, c := range []struct {
		address string
		ok      bool
	}{{"192.0.2.1", true}, {"192.0.2.1", true}, {"192.0.2.1", false}, {"127.0.0.1", true}, {"192.0.2.2", true}, {"192.0.2.3", false}, {"127.0.0.1", false}} {
		back, ok := o.Enter(from(c.address))
		if ok != c.ok {
			t.Fatalf("%s after %d: %v", c.address, len(leave), ok)
		}
		if ok {
			leave = append(leave, back)
		}
	}
	leave[0]()
	leave[0]()
	if _, ok := o.Enter(from("192.0.2.1")); !ok {
		t.Error("a place given back is not free")
	}
	if _, ok := o.Enter(from("127.0.0.1")); ok {
		t.Error("a place was given back twice")
	}
}

func TestAddressesDoNotShare(t *testing.T) {
	now := time.Unix(1000, 0)
	p := PerAddress{Rate: 1, Burst: 1, Max: 2}
	from := func(a string) *http.Request { return &http.Request{RemoteAddr: a + ":1234"} }
	if !p.Allow(from("10.0.0.1"), now) || !p.Allow(from("10.0.0.2"), now) {
		t.Fatal("first request of an address refused")
	}
	if p.Allow(from("10.0.0.1"), now) {
		t.Error("second request at once allowed")
	}
	p.Allow(from("10.0.0.3"), now)
	if len(p.buckets) > 2 {
		t.Errorf("%d buckets kept, at most 2 wanted", len(p.buckets))
	}
}
