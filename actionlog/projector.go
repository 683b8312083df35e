package actionlog

import (
	"fmt"
	"sync"
	"time"

	"github.com/teapot-tee/teapot/actionlog/disk"
	"github.com/teapot-tee/teapot/actionlog/index"
)

const (
	applyChunk  = 64      // rows per turn on the index's connection: what a query waits for at most
	applyCommit = 4096    // rows per transaction
	keepRows    = 1 << 14 // rows kept in memory per log; beyond that they are read back from the frames
	applyPause  = 50 * time.Millisecond
)

// projector keeps the query index up with the logs, behind their commits. When the index fails it is deleted and built
// anew; the logs do not notice.
type projector struct {
	key [32]byte
	fs  disk.FS

	mu     sync.Mutex
	x      *index.Index
	err    error // why there is no index
	logs   map[*Log]*projected
	wake   chan struct{}
	urgent chan struct{} // somebody waits
	stop   chan struct{}
	done   sync.WaitGroup
}

// projected is one log as the index has it. Guarded by projector.mu.
type projected struct {
	id      int64
	applied uint64
	rows    []index.Row   // contiguous; rows[0].Index may be beyond applied
	changed chan struct{} // closed when applied grows
}

func newProjector(fsys disk.FS, key [32]byte) *projector {
	p := &projector{
		key: key, fs: fsys, logs: map[*Log]*projected{},
		wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	p.done.Go(p.run)
	return p
}

// add takes in a log. An index that has seen more entries than the log holds is evidence of an older disk.
func (p *projector) add(l *Log) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	pr := &projected{changed: make(chan struct{})}
	if p.x == nil && p.err == nil { // not before a log was recovered: a refused start leaves the index alone
		p.x, p.err = index.Open(p.fs, p.key)
	}
	if p.err == nil {
		var err error
		if pr.id, pr.applied, err = p.x.Log(l.origin); err != nil {
			p.rebuild()
		}
	}
	if pr.applied > l.Size() {
		return &Refused{
			fmt.Sprintf("the query index has seen %d entries and the segments hold %d", pr.applied, l.Size()),
			"older segment files were put back, or new ones are missing; put the newest ones back. If they are lost for good, start a new log number for this agent",
		}
	}
	p.logs[l] = pr
	if p.err == nil && pr.id == 0 {
		p.reset(l, pr)
	}
	p.nudge(p.wake)
	return nil
}

func (p *projector) nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// notify hands over the rows of a commit.
func (p *projector) notify(l *Log, rows []index.Row) {
	p.mu.Lock()
	if pr := p.logs[l]; pr != nil {
		if n := len(pr.rows); n > 0 && pr.rows[n-1].Index+1 != rows[0].Index || n+len(rows) > keepRows {
			pr.rows = nil // a gap: the frames fill it
		} else {
			pr.rows = append(pr.rows, rows...)
		}
	}
	p.mu.Unlock()
	p.nudge(p.wake)
}

func (p *projector) run() {
	for {
		select {
		case <-p.stop:
			p.flush()
			return
		case <-p.wake:
		}
		p.catchUp()
		select { // many small commits of slow logs share one transaction
		case <-time.After(applyPause):
		case <-p.urgent:
		case <-p.stop:
		}
	}
}

// catchUp applies until no log has anything left.
func (p *projector) catchUp() {
	for n := 1; n > 0; {
		n = 0
		for _, l := range p.behind() {
			select {
			case <-p.stop:
				p.commit()
				return
			default:
			}
			n += p.step(l)
		}
		p.commit()
	}
}

// flush applies what is in memory before the store closes.
func (p *projector) flush() {
	for _, l := range p.behind() {
		p.mu.Lock()
		pr := p.logs[l]
		ready := len(pr.rows) > 0 && pr.rows[0].Index <= pr.applied
		p.mu.Unlock()
		if ready {
			p.step(l)
		}
	}
	p.commit()
}

func (p *projector) behind() (logs []*Log) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l, pr := range p.logs {
		if p.err == nil && pr.applied < l.Size() {
			logs = append(logs, l)
		}
	}
	return logs
}

// step applies up to one transaction of a log's rows.
func (p *projector) step(l *Log) (n int) {
	for n < applyCommit {
		rows, id, x, err := p.next(l)
		if err == nil && len(rows) == 0 {
			return n
		}
		if err == nil {
			err = x.Apply(id, rows)
		}
		if err != nil {
			p.failed()
			return n
		}
		p.applied(l, rows)
		n += len(rows)
	}
	return n
}

// next returns the next rows of a log, from memory or from the frames.
func (p *projector) next(l *Log) ([]index.Row, int64, *index.Index, error) {
	p.mu.Lock()
	pr, x := p.logs[l], p.x
	from := pr.applied
	for len(pr.rows) > 0 && pr.rows[0].Index < from {
		pr.rows = pr.rows[1:]
	}
	if len(pr.rows) > 0 && pr.rows[0].Index == from {
		rows := pr.rows[:min(applyChunk, len(pr.rows))]
		pr.rows = pr.rows[len(rows):]
		p.mu.Unlock()
		return rows, pr.id, x, nil
	}
	p.mu.Unlock()
	rows, err := l.rows(from, min(from+applyChunk, l.Size()))
	return rows, pr.id, x, err
}

func (p *projector) applied(l *Log, rows []index.Row) {
	p.mu.Lock()
	pr := p.logs[l]
	pr.applied = rows[len(rows)-1].Index + 1
	close(pr.changed)
	pr.changed = make(chan struct{})
	p.mu.Unlock()
	var keys [][16]byte
	for i := range rows {
		if rows[i].Key != nil {
			keys = append(keys, *rows[i].Key)
		}
	}
	if keys != nil {
		l.idem.forget(keys)
	}
}

func (p *projector) commit() {
	p.mu.Lock()
	x, err := p.x, p.err
	p.mu.Unlock()
	if err == nil && x != nil {
		err = x.Commit()
	}
	if err != nil {
		p.failed()
	}
}

// failed rebuilds the index once; if that fails too there is none until the next start.
func (p *projector) failed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.rebuild()
	}
}

// rebuild begins a new index. p.mu is held.
func (p *projector) rebuild() {
	if p.err = p.x.Discard(); p.err == nil {
		p.x, p.err = index.Open(p.fs, p.key)
	}
	for l, pr := range p.logs {
		if p.err == nil {
			p.reset(l, pr)
		}
	}
	p.nudge(p.wake)
}

func (p *projector) reset(l *Log, pr *projected) {
	pr.applied, pr.rows = 0, nil
	pr.id, _, p.err = p.x.Log(l.origin)
}

func (p *projector) close() error {
	close(p.stop)
	p.done.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.x == nil {
		return nil
	}
	return p.x.Close()
}
