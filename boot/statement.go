package boot

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/teapot-tee/teapot/evidence"
)

// evidence makes the next boot statement and has it quoted. A number is used once, also when the statement comes to nothing.
func (p *Process) evidence(ctx context.Context, agents []*Agent) (evidence.Boot, *evidence.Evidence, error) {
	boot, parts, err := p.statement(agents)
	if err != nil {
		return boot, nil, err
	}
	raw, err := boot.Marshal()
	if err != nil {
		return boot, nil, err
	}
	e, err := p.quote(ctx, raw)
	if err != nil {
		return boot, nil, err
	}
	e.Parts = parts
	for _, a := range agents {
		e.KeyChain = append(e.KeyChain, a.claims...)
	}
	return boot, e, nil
}

func (p *Process) statement(agents []*Agent) (evidence.Boot, [][]byte, error) {
	c := p.config
	custody := c.Attester.Custody()
	boot := evidence.Boot{
		BootID: p.bootID, BootKey: evidence.PublicKey(p.bootKey.Public().(ed25519.PublicKey)), Number: p.takeNumber(),
		Time: uint64(c.Now().UnixMilli()), TLSKey: c.TLSKey, HPKEKeys: c.HPKEKeys, Software: c.Software,
		Configuration: evidence.Sum(c.Configuration), Plugins: evidence.Sum([]byte(strings.Join(c.Plugins, "\n"))),
		Policies: c.Policies, Custody: evidence.KeyCustody{Storage: custody, Log: custody, Wallet: walletCustody(custody, agents)},
		Unmeasured: c.Unmeasured, Platform: c.Attester.Platform(),
	}
	byDigest := map[evidence.Digest][]byte{}
	for _, a := range agents {
		part, err := a.part.Marshal()
		if err != nil {
			return boot, nil, fmt.Errorf("agent %s: %w", a.Name, err)
		}
		byDigest[evidence.Sum(part)] = part
		boot.Agents = append(boot.Agents, evidence.Sum(part))
	}
	evidence.SortDigests(boot.Agents)
	var parts [][]byte
	for _, d := range boot.Agents {
		parts = append(parts, byDigest[d])
	}
	return boot, parts, nil
}

// walletCustody is the platform's, unless a wallet's key is published.
func walletCustody(platform evidence.Custody, agents []*Agent) evidence.Custody {
	for _, a := range agents {
		for _, w := range a.wallets {
			if w.Published {
				return evidence.PublicSeed
			}
		}
	}
	return platform
}

// quote has the platform vouch for exact statement bytes and adds what a reader needs.
func (p *Process) quote(ctx context.Context, statement []byte) (*evidence.Evidence, error) {
	p.quoting.Lock()
	defer p.quoting.Unlock()
	c := p.config
	q, err := c.Attester.Quote(ctx, evidence.ReportData(statement))
	if err != nil {
		return nil, fmt.Errorf("asking the platform for a quote: %w", err)
	}
	info, err := c.Attester.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the platform what it was started with: %w", err)
	}
	e := &evidence.Evidence{
		Platform: c.Attester.Platform(), Statement: statement, Quote: q.Raw, EventLog: q.EventLog, CCEL: q.CCEL, AppCompose: info.AppCompose,
	}
	e.Collateral = p.collateral(ctx, q.Raw)
	return e, nil
}

// collateral is a courtesy to offline readers: without it the evidence is still whole, and readers fetch it themselves.
func (p *Process) collateral(ctx context.Context, quote []byte) json.RawMessage {
	if p.config.Collateral == nil {
		return nil
	}
	c, err := p.config.Collateral.Collateral(ctx, quote)
	if err != nil {
		p.config.Logger.WarnContext(ctx, "no collateral for the quote; readers must fetch it themselves", "cause", err)
		return nil
	}
	return c
}
