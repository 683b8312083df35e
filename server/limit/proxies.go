package limit

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Proxies are peers that say truly whom they speak for: the reverse proxies in front of this server. Nobody by default, and
// then X-Forwarded-For is never read: whoever connects could write anything there.
type Proxies []netip.Prefix

// ParseProxies reads addresses and CIDR ranges, each item one or a comma list.
func ParseProxies(items []string) (Proxies, error) {
	var list Proxies
	for _, text := range strings.Split(strings.Join(items, ","), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if addr, single := netip.ParseAddr(text); single == nil {
			prefix, err = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no address and no CIDR range such as 10.0.0.0/8", text)
		}
		if prefix.Bits() == 0 {
			return nil, fmt.Errorf("%q is everybody: then every client could choose its own address", text)
		}
		list = append(list, prefix.Masked())
	}
	return list, nil
}

// Trusts says whether an address is one of the proxies.
func (p Proxies) Trusts(a netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(a.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

type forwarded struct{}

// Handler puts the client's address in the place of a trusted proxy's, so that every limit counts clients. A request that
// came through a proxy is never taken for one of this machine, whatever address it names.
func (p Proxies) Handler(next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		header := r.Header.Values("X-Forwarded-For") // all lines: a client may send an empty first one, and HAProxy adds its own after it
		if err != nil || !p.Trusts(peer.Addr()) || strings.Join(header, "") == "" {
			next.ServeHTTP(w, r)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), forwarded{}, true))
		r.RemoteAddr = net.JoinHostPort(p.client(peer.Addr(), header).String(), "0")
		next.ServeHTTP(w, r)
	})
}

// Opaque is Handler for proxies that pass bytes through and name the client before them (package proxyproto): what requests say of
// whom they come from was then written by clients. One from the proxy's own address is of a client that it could not name.
func (p Proxies) Opaque(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && p.Trusts(peer.Addr()) {
			r = r.WithContext(context.WithValue(r.Context(), forwarded{}, true))
		}
		next.ServeHTTP(w, r)
	})
}

// client walks the header from its end, where the nearest proxy wrote, to the first address that no proxy has. What stands
// before it was written by strangers; an item that is no address ends the walk at the proxy that passed it on.
func (p Proxies) client(peer netip.Addr, header []string) netip.Addr {
	hops := strings.Split(strings.Join(header, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, ok := parseHop(strings.TrimSpace(hops[i]))
		if !ok {
			return peer
		}
		if peer = hop; !p.Trusts(hop) {
			return hop
		}
	}
	return peer
}

// parseHop reads an address, with or without a port.
func parseHop(text string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return a.Unmap().WithZone(""), err == nil
}

// Local says whether the peer is a process on this machine that speaks for itself: loopback or a unix socket, not through a
// trusted proxy, and no browser that carries out what a page of somebody else's says.
func Local(r *http.Request) bool {
	if through, _ := r.Context().Value(forwarded{}).(bool); through || foreignPage(r) {
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err != nil || net.ParseIP(host).IsLoopback()
}

// foreignPage: browsers name the page's origin with every POST. Ours is the host it is sent to, by a name of this machine: a page
// whose own name was made to point here (DNS rebinding) sends both alike.
func foreignPage(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host || u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback()
}

// Client names the client of a request for counting: its IPv4 address, or the /64 of its IPv6 address, which is what one
// household or machine gets.
func Client(r *http.Request) string { return Household(r.RemoteAddr) }

// Household is what Client makes of an address with a port.
func Household(remote string) string {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	a := ap.Addr().Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	prefix, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return prefix.String()
}
