package model

// Price is what a provider charges, in millionths of a US dollar per million tokens.
type Price struct{ Prompt, Completion int64 }

// Cost is in millionths of a US dollar; -1 when the price is not known.
func (p Price) Cost(u Usage) int64 {
	if p == (Price{}) {
		return -1
	}
	return (p.Prompt*int64(u.Prompt) + p.Completion*int64(u.Completion)) / 1_000_000
}
