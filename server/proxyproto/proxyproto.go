// Package proxyproto learns from a proxy whom it speaks for, where the proxy cannot write into the requests: dstack's gateway and
// other balancers pass TLS through and begin each connection with a PROXY header (haproxy.org, PROXY protocol, versions 1 and 2).
//
// It trusts the header of the peers that the operator named, and reads none from anybody else. A named peer that sends no header
// gets no answer: falling back to its own address would let a client choose to be the proxy.
package proxyproto

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// headerTimeout is how long a proxy may take for its header.
const headerTimeout = 5 * time.Second

// maxHeader bounds a version 2 header with everything that a proxy adds to it; version 1 has at most 107 bytes.
const (
	maxHeader = 2048
	maxText   = 107
)

var signature = []byte("\r\n\r\n\x00\r\nQUIT\n")

// Listener gives the connections of trusted peers the address that their header names.
type Listener struct {
	net.Listener
	Trusts func(netip.Addr) bool
	// Admit takes a place for a client that a header names; leave gives it back, ok false refuses the connection. nil admits all.
	Admit func(client string) (leave func(), ok bool)
}

// Accept returns the next connection; its header is read by whoever first asks for its address or reads from it.
func (l Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	peer, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil || !l.Trusts(peer.Addr()) {
		return c, nil //nolint:nilerr // an address that is none is nobody's we trust
	}
	return &conn{Conn: c, from: bufio.NewReaderSize(c, maxHeader+16), admit: l.Admit}, nil
}

// conn is a connection of a trusted proxy.
type conn struct {
	net.Conn
	from  *bufio.Reader
	admit func(client string) (leave func(), ok bool)

	once   sync.Once
	client net.Addr // nil: the proxy speaks for itself
	leave  func()   // nil: no place was taken
	err    error
}

func (c *conn) begin() {
	c.once.Do(func() {
		if c.err = c.Conn.SetReadDeadline(time.Now().Add(headerTimeout)); c.err != nil {
			return
		}
		if c.client, c.err = readHeader(c.from); c.err != nil {
			c.err = fmt.Errorf("the proxy %s sent no PROXY header that can be read: %w", c.Conn.RemoteAddr(), c.err)
			return
		}
		if c.err = c.admitted(); c.err != nil {
			return
		}
		c.err = c.Conn.SetReadDeadline(time.Time{})
	})
}

// admitted takes the client's place.
func (c *conn) admitted() error {
	if c.client == nil || c.admit == nil {
		return nil
	}
	leave, ok := c.admit(c.client.String())
	if !ok {
		return fmt.Errorf("%s has too many connections through the proxy %s", c.client, c.Conn.RemoteAddr())
	}
	c.leave = leave
	return nil
}

// Close closes the connection and gives the client's place back. Closing first ends a wait for the header.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.err = net.ErrClosed })
	if c.leave != nil {
		c.leave()
	}
	return err
}

// RemoteAddr is the client's address.
func (c *conn) RemoteAddr() net.Addr {
	if c.begin(); c.client != nil {
		return c.client
	}
	return c.Conn.RemoteAddr()
}

// Read reads what follows the header.
func (c *conn) Read(b []byte) (int, error) {
	if c.begin(); c.err != nil {
		return 0, c.err
	}
	return c.from.Read(b)
}

// readHeader reads a header of either version; the address is nil where the proxy speaks for itself or does not know.
func readHeader(r *bufio.Reader) (net.Addr, error) {
	first, err := r.Peek(len(signature))
	if err != nil {
		return nil, err
	}
	switch {
	case bytes.Equal(first, signature):
		return readBinary(r)
	case bytes.HasPrefix(first, []byte("PROXY ")):
		return readText(r)
	}
	return nil, errors.New("the connection begins with something else")
}

// readText reads version 1: "PROXY TCP4 SOURCE DESTINATION PORT PORT\r\n".
func readText(r *bufio.Reader) (net.Addr, error) {
	var line []byte
	for !bytes.HasSuffix(line, []byte("\r\n")) {
		b, err := r.ReadByte()
		if err != nil {
			return nil, err
		}
		if line = append(line, b); len(line) > maxText {
			return nil, errors.New("the line is too long")
		}
	}
	words := strings.Split(strings.TrimSuffix(string(line), "\r\n"), " ")
	if len(words) >= 2 && words[1] == "UNKNOWN" {
		return nil, nil
	}
	if len(words) != 6 || words[1] != "TCP4" && words[1] != "TCP6" {
		return nil, fmt.Errorf("version 1 with %d words", len(words))
	}
	client, err := netip.ParseAddrPort(net.JoinHostPort(words[2], words[4]))
	if err != nil || client.Addr().Is4() != (words[1] == "TCP4") {
		return nil, fmt.Errorf("version 1 with source %q port %q", words[2], words[4])
	}
	return outside(client)
}

// Version 2: 12 bytes of signature, version and command, family, u16 length (big-endian), then source, destination, ports.
const (
	fixed   = 16
	local   = 0x20 // version 2, the proxy's own connection, such as a health check
	proxied = 0x21 // version 2, for a client
	tcp4    = 0x11
	tcp6    = 0x21
)

func readBinary(r *bufio.Reader) (net.Addr, error) {
	head := make([]byte, fixed)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[14:]))
	if n > maxHeader {
		return nil, fmt.Errorf("version 2 with %d bytes", n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	switch command, family := head[12], head[13]; {
	case command == local:
		return nil, nil
	case command != proxied:
		return nil, fmt.Errorf("version and command %#02x", command)
	case family == tcp4 && n >= 12:
		return outside(netip.AddrPortFrom(netip.AddrFrom4([4]byte(body)), binary.BigEndian.Uint16(body[8:])))
	case family == tcp6 && n >= 36:
		return outside(netip.AddrPortFrom(netip.AddrFrom16([16]byte(body)), binary.BigEndian.Uint16(body[32:])))
	case family == 0:
		return nil, nil
	default:
		return nil, fmt.Errorf("family %#02x with %d bytes", family, n)
	}
}

// outside refuses an address of this machine: no proxy speaks for one, and here it would have no limits.
func outside(client netip.AddrPort) (net.Addr, error) {
	a := client.Addr().Unmap().WithZone("")
	if a.IsLoopback() || a.IsUnspecified() {
		return nil, fmt.Errorf("the client is said to be %s", a)
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, client.Port())), nil
}
