package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/teapot-tee/teapot/attest/sim"
)

// announce says on stderr that this is no TEE, and on stdout where it listens, one line each.
func (f simulateFlags) announce(simulator *sim.Simulator, listeners []net.Listener, stdout, stderr io.Writer) error {
	info, err := simulator.Info(context.Background())
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, `********************************************************************
**  SIMULATOR - NOT A TEE. Whoever runs this has all keys and can  **
**  sign any quote. Verifiers see it: the root is not Intel's.     **
********************************************************************
root certificate  SHA-256 %x  (GET /teapot/root.pem)
app id            %s  (%s)
compose hash      %s
keys              %s
`, sha256.Sum256(simulator.RootDER()), info.AppID, info.AppName, info.ComposeHash, f.keysText())
	for _, ln := range listeners {
		where := endpoint(ln)
		if f.platform(ln) {
			fmt.Fprintf(stdout, "listening %s\n", where)
			fmt.Fprintf(stderr, "as the platform of one Teapot: DSTACK_SIMULATOR_ENDPOINT=%s teapot run   (whoever reaches this socket can speak as that Teapot, SIMULATED)\n", where)
			continue
		}
		fmt.Fprintf(stdout, "listening %s\n", where)
		fmt.Fprintf(stderr, "export DSTACK_SIMULATOR_ENDPOINT=%[1]s TAPPD_SIMULATOR_ENDPOINT=%[1]s\n", where)
	}
	if len(listeners) > 0 {
		fmt.Fprintln(stderr, "warning: asUint8Array(32), toViemAccount and toKeypair on a DeriveKey answer give everybody in the world the same wallet "+
			"(constant ASN.1 bytes): use the ...Secure variants, or GetKey")
	}
	return nil
}

func (f simulateFlags) keysText() string {
	switch {
	case f.appKeys != "":
		return "from " + f.appKeys + ": everybody who has that file has them"
	case f.seed != "":
		return "from --seed: the same at every start, and everybody who knows it has them"
	case f.data != "":
		return "kept in " + f.data
	}
	return "new at every start (keep them with --data or --seed)"
}

// endpoint is what clients put into their environment: an URL, or the bare path of a socket.
func endpoint(ln net.Listener) string {
	if ln.Addr().Network() == "unix" {
		return ln.Addr().String()
	}
	return "http://" + ln.Addr().String()
}

// logRequests prints a line per request.
func logRequests(next http.Handler, to io.Writer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(status, r)
		fmt.Fprintf(to, "%s %s %d %s %q\n", r.Method, r.URL.Path, status.status, time.Since(start).Round(time.Microsecond), r.UserAgent())
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
