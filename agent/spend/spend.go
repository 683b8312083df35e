// Package spend decides whether a wallet may pay: the spending policy of the boot statement, a limit per transfer, a limit per
// 24 hours, and a list of recipients. It reads no text: nothing that anybody says can change its answer. It trusts the clock
// it is given no further than that it does not run backwards; what was spent is rebuilt from the log at each start.
package spend

import (
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/teapot-tee/teapot/evidence"
)

// Refused is a transfer that the policy does not allow. Nothing was signed.
type Refused struct{ Why string }

func (r *Refused) Error() string { return "the spending policy refuses: " + r.Why }

func refuse(format string, a ...any) error { return &Refused{fmt.Sprintf(format, a...)} }

const day = 24 * time.Hour

// Ledger holds one agent's rules and what it spent. The zero Ledger refuses everything. It is safe for concurrent use.
type Ledger struct {
	rules []evidence.Spending

	mu    sync.Mutex
	spent []payment
}

type payment struct {
	chain string
	units *big.Int
	at    time.Time
}

// New takes the rules of one agent out of a boot statement's policy.
func New(agent string, rules []evidence.Spending) *Ledger {
	l := &Ledger{}
	for _, r := range rules {
		if r.Agent == agent && r.Asset == "native" {
			l.rules = append(l.rules, r)
		}
	}
	return l
}

// Note records a payment of the past, from the log.
func (l *Ledger) Note(chain string, units *big.Int, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spent = append(l.spent, payment{chain, units, at})
}

// Reserve asks whether a payment is allowed and counts it as spent. It stays counted whatever comes of the transfer: after
// an unclear answer of the network the money may be gone.
func (l *Ledger) Reserve(chain, to string, units *big.Int, now time.Time) error {
	if units == nil || units.Sign() <= 0 {
		return refuse("the amount must be more than nothing")
	}
	rule, ok := l.rule(chain)
	if !ok {
		return refuse("it has no rule for %s, so nothing may be spent there", chain)
	}
	if err := recipient(rule, to); err != nil {
		return err
	}
	if most := amount(rule.PerTransfer); units.Cmp(most) > 0 {
		return refuse("%s is more than %s, the limit of one transfer", units, most)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	total, most := l.today(chain, now), amount(rule.PerDay)
	if sum := new(big.Int).Add(total, units); sum.Cmp(most) > 0 {
		return refuse("with the %s of the last 24 hours it would be %s, more than %s", total, sum, most)
	}
	l.spent = append(l.spent, payment{chain, new(big.Int).Set(units), now})
	return nil
}

func (l *Ledger) rule(chain string) (evidence.Spending, bool) {
	for _, r := range l.rules {
		if r.Chain == chain {
			return r, true
		}
	}
	return evidence.Spending{}, false
}

// today sums the last 24 hours and forgets what is older. The caller holds mu.
func (l *Ledger) today(chain string, now time.Time) *big.Int {
	total := new(big.Int)
	kept := l.spent[:0]
	for _, p := range l.spent {
		if now.Sub(p.at) >= day {
			continue
		}
		kept = append(kept, p)
		if p.chain == chain {
			total.Add(total, p.units)
		}
	}
	l.spent = kept
	return total
}

func recipient(rule evidence.Spending, to string) error {
	if len(rule.Recipients) == 0 {
		return nil
	}
	for _, allowed := range rule.Recipients {
		if allowed == to || rule.Chain == "evm" && strings.EqualFold(allowed, to) {
			return nil
		}
	}
	return refuse("%.64q is not on the list of recipients", to)
}

// amount reads a decimal integer; anything else is zero, which allows nothing.
func amount(text string) *big.Int {
	n, ok := new(big.Int).SetString(text, 10)
	if !ok || n.Sign() < 0 {
		return new(big.Int)
	}
	return n
}
