package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

// audit rebuilds what was spent in the last 24 hours from the log: every intent to transfer counts that the policy did not
// refuse, whatever came of it. So a restart does not open the purse again.
func (a *Agent) audit(ctx context.Context) error {
	q := actionlog.Query{
		Types: []string{tlog.TypeIntent, tlog.TypeResult}, Since: a.config.Now().Add(-25 * time.Hour), Limit: 1000, Viewer: actionlog.Viewer{Owner: true},
	}
	open := map[uint64]payment{}
	for {
		page, err := a.config.Log.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("reading what was spent: %w", err)
		}
		for _, item := range page.Items {
			weigh(item, open)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	for _, p := range open {
		a.spent.Note(p.chain, p.units, p.at)
	}
	return nil
}

type payment struct {
	chain string
	units *big.Int
	at    time.Time
}

// weigh counts an intent, and takes it back when its result says that the policy refused it. Only the gate's own entries count:
// whoever may append to the log may write a result that names any intent as its cause.
func weigh(item actionlog.Item, open map[uint64]payment) {
	if item.State != actionlog.ContentShown || item.Leaf.Source != tlog.SourceGateway {
		return
	}
	if item.Leaf.Type == tlog.TypeResult {
		var r result
		if json.Unmarshal(item.Content.Content, &r) == nil && r.Refused && len(item.Leaf.Cause) == 1 {
			delete(open, item.Leaf.Cause[0])
		}
		return
	}
	var i intent
	var d TransferDetail
	if json.Unmarshal(item.Content.Content, &i) != nil || i.Action != TransferIntent || json.Unmarshal(i.Detail, &d) != nil {
		return
	}
	if units, ok := new(big.Int).SetString(d.Units, 10); ok && units.Sign() > 0 {
		open[item.Index] = payment{d.Chain, units, time.UnixMicro(int64(item.Leaf.Time))}
	}
}
