package tlog

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/transparency-dev/formats/proof"
	mproof "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"github.com/veraison/go-cose"
	"golang.org/x/mod/sumdb/note"

	"github.com/teapot-tee/teapot/actionlog"
	v1 "github.com/teapot-tee/teapot/server/v1"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/tlog/tlogtest"
)

// served is a log as Teapot's own writer keeps it and its own server shows it: two starts and n entries.
func served(t *testing.T, n int) (*actionlog.Log, string) {
	t.Helper()
	dir := t.TempDir()
	var log *actionlog.Log
	for start := range byte(2) {
		s, err := actionlog.Open(actionlog.Options{Dir: dir, Platform: "simulator"})
		if err != nil {
			t.Fatal(err)
		}
		log, err = s.OpenLog(actionlog.LogOptions{Agent: tlogtest.Agent, LogKey: tlogtest.Key(1), StorageKey: [32]byte{2}, PrivacyKey: [32]byte{3}})
		if err != nil {
			t.Fatal(err)
		}
		b := actionlog.Boot{BootKey: tlogtest.Key(4 + start), AgentKey: tlogtest.Key(6 + start), Statement: []byte("s"), Part: []byte("p"), Evidence: []byte("e")}
		if _, err := log.Boot(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		var entries []actionlog.Entry
		for i := range n / 2 {
			entries = append(entries, actionlog.Entry{Type: "message", Source: tlog.SourceRuntime, MediaType: "text/plain", Content: fmt.Append(nil, i)})
		}
		if _, err := log.Append(t.Context(), entries...); err != nil {
			t.Fatal(err)
		}
		if start == 1 {
			t.Cleanup(func() { s.Close() })
		} else if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	mux := http.NewServeMux()
	v1.Logs{Agent: func(id string) (*actionlog.Log, bool) { return log, id == tlogtest.Agent }}.Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return log, server.URL + "/v1/agents/" + tlogtest.Agent + "/"
}

func get(t *testing.T, path string) []byte {
	t.Helper()
	resp, err := http.Get(path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %s %v", path, resp.Status, b, err)
	}
	return b
}

func TestTesseraReadsTheServedLog(t *testing.T) {
	log, base := served(t, 600)
	root, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	f, err := client.NewHTTPFetcher(root, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	origin := tlog.Origin(tlogtest.Agent, tlogtest.Pub(1))
	v, err := note.NewVerifier(tlog.LogVerifier(origin, tlogtest.Pub(1)).String())
	if err != nil {
		t.Fatal(err)
	}
	if err := fsck.New(origin, v, f, leafHashes, fsck.Opts{N: 2}).Check(context.Background()); err != nil {
		t.Errorf("fsck: %v", err)
	}
	c, _, _, err := client.FetchCheckpoint(t.Context(), f.ReadCheckpoint, v, origin)
	if err != nil || c.Size != 602 || c.Size != log.Size() {
		t.Fatalf("%+v %v", c, err)
	}
	b, err := client.NewProofBuilder(t.Context(), c.Size, f.ReadTile)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []uint64{0, 255, 256, 300, 601} {
		path, err := b.InclusionProof(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := client.GetEntryBundle(t.Context(), f.ReadEntryBundle, i/256, c.Size)
		if err != nil {
			t.Fatal(err)
		}
		h := rfc6962.DefaultHasher.HashLeaf(entries.Entries[i%256])
		if err := mproof.VerifyInclusion(rfc6962.DefaultHasher, i, c.Size, h, path, c.Hash); err != nil {
			t.Errorf("entry %d: %v", i, err)
		}
	}
}

func TestOthersReadTheServedProofs(t *testing.T) {
	_, base := served(t, 20)
	var file proof.TLogProof
	if err := file.Unmarshal(get(t, base+"entries/15/tlog-proof")); err != nil || file.Index != 15 {
		t.Fatalf("%+v %v", file, err)
	}
	c, err := tlog.ParseCheckpoint(file.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	var statement, receipt cose.Sign1Message
	if err := statement.UnmarshalCBOR(get(t, base+"entries/15/scitt-statement")); err != nil {
		t.Fatal(err)
	}
	agent, err := cose.NewVerifier(cose.AlgorithmEdDSA, tlogtest.Key(7).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	if err := statement.Verify(nil, agent); err != nil {
		t.Errorf("the statement: %v", err)
	}
	attached := statement.Headers.Unprotected[int64(394)].([]any)[0].([]byte)
	if !bytes.Equal(attached, get(t, base+"entries/15/scitt-receipt")) {
		t.Error("the receipt attached is not the one served alone")
	}
	if err := receipt.UnmarshalCBOR(attached); err != nil {
		t.Fatal(err)
	}
	logKey, err := cose.NewVerifier(cose.AlgorithmEdDSA, tlogtest.Pub(1))
	if err != nil {
		t.Fatal(err)
	}
	receipt.Payload = c.Root[:]
	if err := receipt.Verify(nil, logKey); err != nil {
		t.Errorf("the receipt: %v", err)
	}
	statement.Headers.RawUnprotected, statement.Headers.Unprotected = nil, cose.UnprotectedHeader{}
	leaf, err := statement.MarshalCBOR()
	if err != nil {
		t.Fatal(err)
	}
	path := make([][]byte, 0, len(file.Hashes))
	for _, h := range file.Hashes {
		path = append(path, h[:])
	}
	if err := mproof.VerifyInclusion(rfc6962.DefaultHasher, file.Index, c.Size, rfc6962.DefaultHasher.HashLeaf(leaf), path, c.Root[:]); err != nil {
		t.Errorf("the proof: %v", err)
	}
}
