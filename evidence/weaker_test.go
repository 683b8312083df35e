package evidence

import (
	"math/bits"
	"slices"
	"testing"
)

// policyOf makes the witness policy of a set of at most four witnesses.
func policyOf(set uint, quorum int) Witness {
	names := []string{"a", "b", "c", "d"}
	var keys []string
	for i, n := range names {
		if set&(1<<i) != 0 {
			keys = append(keys, n)
		}
	}
	return Witness{Quorum: uint64(quorum), Keys: keys}
}

// Every pair of policies over four witnesses: "not weaker" means that whoever satisfies the new one satisfies the old one.
func TestWitnessPoliciesExhaustively(t *testing.T) {
	type policy struct {
		set    uint
		quorum int
	}
	all := []policy{{0, 0}}
	for set := uint(1); set < 16; set++ {
		for q := 1; q <= bits.OnesCount(set); q++ {
			all = append(all, policy{set, q})
		}
	}
	satisfied := func(p policy, signers uint) bool { return bits.OnesCount(signers&p.set) >= p.quorum }
	for _, before := range all {
		for _, now := range all {
			implied := true
			for signers := range uint(16) {
				implied = implied && (!satisfied(now, signers) || satisfied(before, signers))
			}
			if got := policyOf(now.set, now.quorum).weaker(policyOf(before.set, before.quorum)); got == implied {
				t.Errorf("now %v, before %v: weaker %v, but implied %v", now, before, got, implied)
			}
		}
	}
}

func TestWeakerThanNeverPassesAnUncomparableChange(t *testing.T) {
	before := sampleBoot(t).Policies
	now := before.normal()
	now.GuestAPI = slices.Clone(now.GuestAPI)
	now.GuestAPI[0].KeyPrefixes = []string{"ap"} // shorter prefix: more paths
	if len(now.WeakerThan(before)) == 0 {
		t.Error("a wider key prefix passes")
	}
	now.GuestAPI[0].KeyPrefixes = []string{"app/mine/"}
	if why := now.WeakerThan(before); len(why) != 0 {
		t.Errorf("a narrower key prefix is called weaker: %q", why)
	}
	before.GuestAPI[0].Methods = []string{"*"}
	if why := now.WeakerThan(before); len(why) != 0 {
		t.Errorf("fewer methods than all are called weaker: %q", why)
	}
	now.GuestAPI[0].Methods, before.GuestAPI[0].Methods = []string{"*"}, []string{"GetKey"}
	if len(now.WeakerThan(before)) == 0 {
		t.Error("all methods pass")
	}
}
