package between

import (
	"bytes"
	"errors"
	"io"

	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/tlog"
)

// Rewritten is a complete bundle made anew with a right checksum; change sees each entry with its index, the log's size, and a leaf and
// an addendum of its own to spoil. An error is one of the bundle's reader or writer.
func Rewritten(raw []byte, change func(index, size uint64, item *tlog.Item)) ([]byte, error) {
	r, err := bundle.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := bundle.NewWriter(&out, r.Header)
	if err != nil {
		return nil, err
	}
	preface(w, r)
	for {
		at := r.Pos()
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			err = w.Close()
			return out.Bytes(), err
		}
		if err != nil {
			return nil, err
		}
		item.Leaf, item.Addendum = bytes.Clone(item.Leaf), bytes.Clone(item.Addendum)
		change(at, r.Checkpoint.Size, &item)
		w.Entry(item)
	}
}

func preface(w *bundle.Writer, r *bundle.Reader) {
	if r.Session != nil {
		w.Session(r.Session)
	}
	for _, e := range r.Evidence {
		w.Evidence(e)
	}
	for _, c := range r.Collateral {
		w.Collateral(c)
	}
	w.Checkpoint(r.Checkpoint.Raw)
	if r.Kinds != nil {
		w.Kinds(r.Kinds.Append(nil))
	}
}
