package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/server/access"
	v1 "github.com/teapot-tee/teapot/server/v1"
)

// openOffline opens the log of a stopped simulated agent and serves it inside this process, with the owner's rights: whoever
// can read the directory has the keys anyway.
func (f *logFlags) openOffline(cmd *cobra.Command) (*logSource, error) {
	attester, err := f.simulator()
	if err != nil {
		return nil, err
	}
	spec, err := f.offlineSpec()
	if err != nil {
		return nil, err
	}
	store, logs, err := boot.OpenLogs(cmd.Context(), attester, f.data, []boot.AgentSpec{spec})
	if err != nil {
		return nil, refusedStart(err)
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "SIMULATED: whoever reads", f.data, "can read and rewrite this log")
	if newest, some, err := store.Newest(spec.ID); err == nil && some && newest > f.number {
		fmt.Fprintf(cmd.ErrOrStderr(), "teapot: note: this is log %d; the agent went on in log %d: --log-number %d\n", f.number, newest, newest)
	}
	mux := http.NewServeMux()
	v1.Logs{Agent: func(id string) (*actionlog.Log, bool) { return logs[0], id == spec.ID }}.Register(mux)
	return &logSource{
		base: &url.URL{Scheme: "http", Host: "offline"}, http: &http.Client{Transport: inside{mux}}, agent: spec.ID, where: f.data,
		close: func() error { return errors.Join(store.Close(), attester.Close()) },
	}, nil
}

// refusedStart splits a refusal into what was found and what to do.
func refusedStart(err error) error {
	var r *actionlog.Refused
	if errors.As(err, &r) {
		return &exitError{code: 2, err: errors.New(r.What), hint: r.Next}
	}
	return err
}

func (f *logFlags) simulator() (*sim.Simulator, error) {
	record, ok, err := attest.ReadRecord(f.data)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &exitError{code: 2, err: fmt.Errorf("%s is not the data directory of a simulated agent", f.data), hint: "leave --data out to ask a running agent"}
	}
	if record.Platform != "simulator" {
		return nil, &exitError{code: 2, err: fmt.Errorf("%s belongs to platform %s: its log can be read only inside", f.data, record.Platform), hint: "ask the running agent with --url"}
	}
	if _, err := os.Stat(filepath.Join(f.data, sim.FileName)); err != nil {
		return nil, err
	}
	s, err := sim.New(sim.Options{Dir: f.data})
	if err != nil {
		return nil, err
	}
	return s, attest.Claim(f.data, s)
}

// offlineSpec finds the agent whose log lies in the directory.
func (f *logFlags) offlineSpec() (boot.AgentSpec, error) {
	found, err := os.ReadDir(filepath.Join(boot.LogDir(f.data), "logs"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return boot.AgentSpec{}, err
	}
	var ids []string
	for _, e := range found {
		id, ok := strings.CutSuffix(e.Name(), "-"+strconv.FormatUint(f.number, 10))
		if ok && (f.agent == "" || f.agent == id) {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	switch len(ids) {
	case 1:
		return boot.AgentSpec{ID: ids[0], Name: ids[0], LogNumber: f.number}, nil
	case 0:
		return boot.AgentSpec{}, &exitError{code: 2, err: fmt.Errorf("%s holds no log %d of this agent", f.data, f.number), hint: "teapot run writes one"}
	}
	return boot.AgentSpec{}, &exitError{code: 64, err: fmt.Errorf("%s holds the logs of %d agents", f.data, len(ids)), hint: "choose one with --agent: " + strings.Join(ids, ", ")}
}

// inside is a transport that calls a handler in this process.
type inside struct{ handler http.Handler }

// RoundTrip streams the handler's answer.
func (t inside) RoundTrip(r *http.Request) (*http.Response, error) {
	pr, pw := io.Pipe()
	w := &insideWriter{header: http.Header{}, body: pw, ready: make(chan struct{})}
	ctx, cancel := context.WithCancel(access.WithUnixPeer(r.Context()))
	go func() {
		defer cancel()
		defer func() {
			if p := recover(); p != nil { // a handler breaks off a stream with a panic
				pw.CloseWithError(io.ErrUnexpectedEOF)
			}
		}()
		t.handler.ServeHTTP(w, r.WithContext(ctx))
		w.WriteHeader(http.StatusOK)
		_ = pw.Close() // a pipe always closes
	}()
	<-w.ready
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Header: w.header, Body: insideBody{pr, cancel}, Request: r, ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
	}, nil
}

type insideWriter struct {
	header http.Header
	body   *io.PipeWriter
	status int
	ready  chan struct{}
}

func (w *insideWriter) Header() http.Header { return w.header }

func (w *insideWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		close(w.ready)
	}
}

func (w *insideWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Flush has nothing to do: the pipe holds nothing back.
func (w *insideWriter) Flush() {}

type insideBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b insideBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}
