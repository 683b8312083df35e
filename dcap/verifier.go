package dcap

import (
	"bytes"
	"crypto/ecdsa"
	"errors"
	"slices"
	"sync/atomic"
	"time"
)

// Cache sizes, entries. A collateral entry is some 60 kB, a PCK chain some 10 kB, the others below 1 kB.
const (
	maxCollateral = 64
	maxChains     = 1024
	maxQEs        = 8192
	maxRoots      = 64
	maxCAs        = 64

	maxCachedCollateral = 1 << 20 // bytes; Intel's is some 30 kB. Larger is judged and not remembered.
)

// Verifier verifies quotes. The zero value works; it is safe for concurrent use. It remembers what it has verified
// by the exact bytes and the trust root, never a verdict: windows, levels and policy are judged every time.
type Verifier struct {
	collateral cache[materialKey, *material]
	parsed     cache[*Collateral, parsedCollateral]
	chains     cache[key, *pckChain]
	cas        cache[key, *certificate]
	qes        cache[key, *ecdsa.PublicKey]
	roots      cache[string, *trustRoot]
	owns       cache[key, *trustRoot]    // by chain: the root it brings along
	pinned     atomic.Pointer[trustRoot] // Intel's, read once
}

// materialKey is the exact content that material was made of, and the root it was checked under.
type materialKey struct {
	content Collateral
	root    *certificate
}

// parsedCollateral remembers which material a Collateral was: valid only while its members are the same strings.
type parsedCollateral struct {
	content Collateral
	root    *certificate
	m       *material
}

// Options of one verification.
type Options struct {
	Root           []byte    // the root to trust, DER; nil means Intel's pinned root
	AllowSimulated bool      // with a nil Root: trust the chain's own root where it is not Intel's
	At             time.Time // judge at this time; mandatory
	Policy         Policy
}

// Errors of Verify: we could not judge.
var (
	errNoTime       = errors.New("dcap: verifying quote: no time to judge at (Options.At)")
	errNoCollateral = errors.New("dcap: verifying quote: no collateral")
	errRoot         = errors.New("dcap: verifying quote: the named root is not a self-signed certificate of Intel's profile (CN Intel SGX Root CA, P-256)")
)

// Verify judges a quote with its collateral. Whatever is wrong with either is a failed check in the Report; an error
// means that there was nothing to judge with.
func (v *Verifier) Verify(raw []byte, c *Collateral, o Options) (*Report, error) {
	switch {
	case o.At.IsZero():
		return nil, errNoTime
	case c == nil:
		return nil, errNoCollateral
	}
	j := &judge{v: v, policy: &o.Policy, report: newReport()}
	j.setTime(o.At)
	q, f := parseQuote(slices.Clone(raw))
	root, err := v.trustedRoot(q, c, o)
	if err != nil {
		return nil, err
	}
	j.report.RootSHA256, j.report.RootKeySHA384, j.report.Simulated = root.sha256, root.keySHA384, !root.intel
	j.root, j.m = root.certificate, v.material(c, root.certificate)
	if f == nil {
		j.report.Quote, j.q = q, q
	}
	j.run(f, c)
	return j.report, nil
}

// trustedRoot is the named root, Intel's, or, where simulation is allowed, the chain's own.
func (v *Verifier) trustedRoot(q *Quote, c *Collateral, o Options) (*trustRoot, error) {
	switch {
	case o.Root != nil:
		if root := v.root(o.Root); root != nil {
			return root, nil
		}
		return nil, errRoot
	case o.AllowSimulated && q != nil:
		if root := v.ownRoot(q.chainText(c)); root != nil {
			return root, nil
		}
	}
	return v.intel(), nil
}

// root reads a root that is trusted by its bytes and gives the same pointer for the same bytes; nil if it is none.
func (v *Verifier) root(raw []byte) *trustRoot {
	if bytes.Equal(raw, v.intel().raw) {
		return v.intel()
	}
	if root, ok := v.roots.get(string(raw), maxRoots); ok {
		return root
	}
	root, ok := newTrustRoot(slices.Clone(raw))
	if !ok {
		return nil
	}
	v.roots.put(string(root.raw), root, maxRoots)
	return root
}

// intel is the pinned root.
func (v *Verifier) intel() *trustRoot {
	if root := v.pinned.Load(); root != nil {
		return root
	}
	root, ok := newTrustRoot(IntelRoot())
	if !ok {
		panic("internal: dcap: the pinned root does not parse")
	}
	if !v.pinned.CompareAndSwap(nil, root) { // one pointer for good: caches compare it
		return v.pinned.Load()
	}
	return root
}

// ownRoot is the self-signed root that a chain brings along; nil when it brings none.
func (v *Verifier) ownRoot(text []byte) *trustRoot {
	k := keyOf('o', text)
	if root, ok := v.owns.get(k, maxRoots); ok {
		return root
	}
	blocks, _ := pemBlocks(text, pemCertificate, 4)
	for _, b := range blocks {
		if root, ok := newTrustRoot(b); ok && root.issuedBy(root.certificate) {
			root = v.root(root.raw)
			v.owns.put(k, root, maxRoots)
			return root
		}
	}
	return nil
}

// chainText is the PEM of the PCK chain: in the quote for type 5, in the collateral for types 1 to 4.
func (q *Quote) chainText(c *Collateral) []byte {
	if q.CertType == 5 {
		return q.CertData
	}
	return []byte(c.PCKCertificateChain)
}

// material returns what the collateral is under the root. Strings are compared, which is one pointer each when the
// caller passes the same Collateral again; a caller that changed one gets it read anew.
func (v *Verifier) material(c *Collateral, root *certificate) *material {
	if p, ok := v.parsed.get(c, maxCollateral); ok && p.root == root && p.content == *c {
		return p.m
	}
	k := materialKey{*c, root}
	k.content.PCKCRLIssuerChain, k.content.PCKCertificateChain = "", "" // not part of the material
	if c.size() > maxCachedCollateral {
		return readMaterial(c, root)
	}
	m, ok := v.collateral.get(k, maxCollateral)
	if !ok {
		m = readMaterial(c, root)
		v.collateral.put(k, m, maxCollateral)
	}
	v.parsed.put(c, parsedCollateral{*c, root, m}, maxCollateral)
	return m
}

// chain verifies a PCK chain under the root. Only good chains are remembered.
func (v *Verifier) chain(text []byte, root *certificate) (*pckChain, *fault) {
	k := keyOf('p', root.raw, text)
	if c, ok := v.chains.get(k, maxChains); ok {
		return c, nil
	}
	c, f := verifyPCKChain(text, root, func(ca *certificate) (*certificate, bool) { return v.ca(ca, root) })
	if f == nil {
		v.chains.put(k, c, maxChains)
	}
	return c, f
}

// ca verifies a PCK CA under the root and gives the same pointer for the same bytes.
func (v *Verifier) ca(parsed, root *certificate) (*certificate, bool) {
	k := keyOf('a', root.raw, parsed.raw)
	if c, ok := v.cas.get(k, maxCAs); ok {
		return c, true
	}
	if !parsed.isCA(root) {
		return nil, false
	}
	v.cas.put(k, parsed, maxCAs)
	return parsed, true
}

// attestationKey returns the key that a quoting enclave vouched for, if this very report, signed by this very PCK
// key, was verified before.
func (v *Verifier) attestationKey(k key) (*ecdsa.PublicKey, bool) { return v.qes.get(k, maxQEs) }

func (q *Quote) qeKey(leaf *certificate) key {
	return keyOf('q', leaf.spki, q.qeReport, q.QEReportSignature[:], q.AttestationKey[:], q.QEAuthData)
}
