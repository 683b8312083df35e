package boot

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys/dstackkey"
)

// The evidence carries the platform's signatures over log key and wallets, and they verify under the platform's KMS.
func TestEvidenceCarriesTheKeyChains(t *testing.T) {
	p := start(t, t.TempDir(), spec())
	defer p.Close()
	s := p.config.Attester.(*sim.Simulator)
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	appID, _ := hex.DecodeString(info.AppID)
	document, ok := p.Document(evidence.Sum(p.Evidence().Statement))
	if !ok {
		t.Fatal("no document")
	}
	e, err := evidence.ParseEvidence(document)
	if err != nil || len(e.KeyChain) != 3 {
		t.Fatalf("%d claims, %v", len(e.KeyChain), err)
	}
	for _, c := range e.KeyChain {
		if err := dstackkey.Verify(c, appID, s.KMSRoot()); err != nil {
			t.Errorf("%s %s: %v", c.Use, c.Path, err)
		}
	}
	a, _ := p.Agent(eliza)
	if key := a.Part().Log.Key; e.KeyChain[0].Use != "log" || !bytes.Equal(e.KeyChain[0].PublicKey, key[:]) {
		t.Errorf("the first claim is not the log key's: %+v", e.KeyChain[0])
	}
}
