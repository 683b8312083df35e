package boot

import "github.com/teapot-tee/teapot/evidence"

// What a process keeps for links: sessions and extracts are made for strangers, so both their number and their size are bounded, and the
// oldest go first.
const (
	maxDocuments     = 1024
	maxDocumentBytes = 64 << 20
)

// documents are Evidence documents of this start, by the SHA-256 of their statement.
type documents struct {
	byID  map[evidence.Digest][]byte
	order []evidence.Digest // oldest first
	boot  evidence.Digest   // the newest boot evidence, by which readers verify this process: strangers do not displace it
	bytes int
}

func (d *documents) keep(id evidence.Digest, document []byte) {
	before, known := d.byID[id]
	if !known {
		d.order = append(d.order, id)
	}
	d.byID[id] = document
	d.bytes += len(document) - len(before)
	for len(d.order) > 1 && (len(d.order) > maxDocuments || d.bytes > maxDocumentBytes) {
		d.drop()
	}
}

// drop drops the oldest that is not the boot evidence.
func (d *documents) drop() {
	oldest := d.order[0]
	if d.order = d.order[1:]; oldest == d.boot {
		d.order = append(d.order, oldest)
		return
	}
	d.bytes -= len(d.byID[oldest])
	delete(d.byID, oldest)
}
