package client

import (
	"context"
	"errors"
	"io"

	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/verify"
)

// logOf prepares an agent's log: the entries since the last verified one where there are any, else all.
func (c *Client) logOf(ctx context.Context, agent string, o LookOptions, seen []verify.Seen) verify.Log {
	q := o.Query
	if whole := q.From == 0 && q.To == 0 && q.Type == ""; whole && !o.Whole {
		q.Base = verifiedSize(seen, o.Policy)
	}
	return verify.Log{
		Agent: agent, From: q.From, To: q.To, Type: q.Type, Contents: true,
		Bundle: &lazyBundle{open: func() (io.ReadCloser, error) { return c.bundleFrom(ctx, agent, q) }},
		Proof: func(from, to uint64) ([][]byte, error) {
			p, err := c.Proof(ctx, agent, from, to)
			return p.Proof, err
		},
	}
}

// bundleFrom asks for what follows the part that was verified before; a server whose log does not reach that far refuses,
// and then the whole log is asked for, so that the verdict can say what became of it.
func (c *Client) bundleFrom(ctx context.Context, agent string, q BundleQuery) (io.ReadCloser, error) {
	stream, err := c.Bundle(ctx, agent, q)
	var refused *Error
	if q.Base > 0 && errors.As(err, &refused) && refused.Status/100 == 4 {
		q.Base = 0
		return c.Bundle(ctx, agent, q)
	}
	return stream, err
}

// verifiedSize is the size up to which this machine verified every entry under this policy.
func verifiedSize(seen []verify.Seen, policy verify.Policy) uint64 {
	for _, s := range seen {
		if state, err := tlog.ParseAuditState(s.State); err == nil && state.Whole && s.AcceptedUnder(policy) {
			return state.Size
		}
	}
	return 0
}

// lazyBundle opens its stream at the first read and closes it at the end, so that logs are read one after the other.
type lazyBundle struct {
	open   func() (io.ReadCloser, error)
	stream io.ReadCloser
	err    error
}

func (l *lazyBundle) Read(p []byte) (int, error) {
	if l.stream == nil && l.err == nil {
		l.stream, l.err = l.open()
	}
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.stream.Read(p)
	if err != nil {
		l.err = errors.Join(err, l.stream.Close())
		if errors.Is(err, io.EOF) {
			l.err = io.EOF
		}
	}
	return n, l.err
}

// Close gives the connection back, whether the stream was read to its end or not.
func (l *lazyBundle) Close() error {
	if l.stream == nil || l.err != nil {
		return nil
	}
	l.err = io.ErrClosedPipe
	return l.stream.Close()
}
