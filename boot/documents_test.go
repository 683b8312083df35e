package boot

import (
	"bytes"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/evidence"
)

// TestStrangersDoNotDisplaceTheBootEvidence: everybody may ask for sessions. However many there were, the evidence of the start, by
// which readers verify it, is still served, and what is kept is bounded in number and bytes.
func TestStrangersDoNotDisplaceTheBootEvidence(t *testing.T) {
	p := start(t, t.TempDir(), spec())
	defer p.Close()
	id := evidence.Sum(p.Evidence().Statement)
	for n := range maxDocuments + 1 {
		p.mu.Lock()
		p.documents.keep(evidence.Sum([]byte{byte(n), byte(n >> 8)}), []byte("{}"))
		p.mu.Unlock()
	}
	if _, ok := p.Document(id); !ok {
		t.Error("the boot evidence is gone: nobody can verify this process any more")
	}
	if _, ok := p.Document(evidence.Sum([]byte{0, 0})); ok || len(p.documents.byID) > maxDocuments {
		t.Errorf("%d documents are kept", len(p.documents.byID))
	}
	query := strings.Repeat(`"`, 1<<20)
	for n := range 64 {
		if _, err := p.Extract(t.Context(), bytes.Repeat([]byte{byte(n)}, 16), query, nil, string(p.all()[0].Log.Checkpoint())); err != nil {
			t.Fatal(err)
		}
	}
	sum := 0
	for _, d := range p.documents.byID {
		sum += len(d)
	}
	if sum > maxDocumentBytes || sum != p.documents.bytes {
		t.Errorf("%d bytes are kept", sum)
	}
	if _, ok := p.Document(id); !ok {
		t.Error("the boot evidence is gone")
	}
}
