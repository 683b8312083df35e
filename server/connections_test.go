package server

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"
)

func TestConnectionsAreBounded(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newBounded(inner, 3)
	defer l.Close()
	accepted := make(chan net.Conn, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	var held []net.Conn
	for range 3 {
		dial()
		held = append(held, <-accepted)
	}
	refused := dial()
	_ = refused.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := refused.Read(make([]byte, 1)); err == nil || len(accepted) != 0 {
		t.Fatalf("one too many was let in: %v", err)
	}
	_, _ = held[0].Close(), held[0].Close() // twice gives back one place
	dial()
	<-accepted
	more := dial()
	_ = more.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := more.Read(make([]byte, 1)); err == nil || len(accepted) != 0 {
		t.Fatal("a place was given back twice")
	}
}

func TestOneAddressGetsItsShare(t *testing.T) {
	b := newBounded(nil, 16)
	for i := range 4 {
		if got := b.take("192.0.2.1:5000"); got != (i < 2) {
			t.Errorf("connection %d of one address: %v", i, got)
		}
	}
	for range 10 {
		if !b.take("127.0.0.1:5000") {
			t.Error("the proxy on this machine was refused")
		}
	}
	for i := range 4 { // one household has a whole /64
		if got := b.take(fmt.Sprintf("[2001:db8::%d]:5000", i)); got != (i < 2) {
			t.Errorf("connection %d of one /64: %v", i, got)
		}
	}
	b.give("192.0.2.1:5000")
	if !b.take("192.0.2.1:5000") || len(b.open) != 3 {
		t.Error("a place was lost")
	}
}

// Whom a trusted proxy names has a share too: one client of dstack's gateway must not hold all that come through it.
func TestClientsBehindAProxyGetTheirShare(t *testing.T) {
	b := newBounded(nil, 16)
	var leave []func()
	for i := range 4 {
		l, ok := b.behind(fmt.Sprintf("192.0.2.1:%d", i+1))
		if ok != (i < 2) {
			t.Errorf("connection %d of one client: %v", i, ok)
		}
		if ok {
			leave = append(leave, l)
		}
	}
	if _, ok := b.behind("192.0.2.2:1"); !ok {
		t.Error("another client was refused")
	}
	leave[0]()
	leave[0]() // twice gives back one place
	if _, ok := b.behind("192.0.2.1:9"); !ok {
		t.Error("a place was lost")
	}
	if _, ok := b.behind("192.0.2.1:10"); ok || b.total != 0 {
		t.Error("a place was given back twice")
	}
}

func TestASocketsNeighboursGetAPartOfTheFiles(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := Bound(l).(*bounded)
	if b.most < 1 || b.most > maxConnections/4 {
		t.Errorf("%d connections", b.most)
	}
	for i := range b.most + 1 {
		if got := b.take("@"); got != (i < b.most) {
			t.Fatalf("connection %d of %d: %v", i, b.most, got)
		}
	}
}
