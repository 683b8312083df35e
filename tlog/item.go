package tlog

// Status says what became of an entry's content in an answer.
type Status uint8

// Statuses. The zero value claims nothing.
const (
	StatusNone      Status = iota // the leaf commits to no content
	StatusDisclosed               // the addendum is here
	StatusErased                  // erased: an erasure leaf must name this entry
	StatusWithheld                // not here, for whatever reason
)

var statuses = [...]string{"none", "disclosed", "erased", "withheld"}

// String returns the word used in JSON and text.
func (s Status) String() string { return word(statuses[:], uint8(s)) }

// MarshalText writes the word.
func (s Status) MarshalText() ([]byte, error) { return marshalWord(statuses[:], uint8(s)) }

// UnmarshalText reads the word.
func (s *Status) UnmarshalText(b []byte) error { return unmarshalWord(statuses[:], b, (*uint8)(s)) }

// Item is one step of a walk along the log: an entry, or a perfect subtree of entries that are left out.
type Item struct {
	Leaf     []byte // nil: this item leaves entries out
	Addendum []byte // set for StatusDisclosed
	Status   Status //
	Level    uint   // of the subtree left out: 2^Level entries
	Hash     Hash   // its root
}

// Left says whether the item leaves entries out.
func (i *Item) Left() bool { return i.Leaf == nil }

// Entries returns the number of entries the item stands for.
func (i *Item) Entries() uint64 {
	if i.Left() {
		return 1 << min(i.Level, 52)
	}
	return 1
}

// LeaveOut returns the items that stand for the entries [from, to): the largest perfect subtrees, in order. This is the only
// form a verifier takes.
func LeaveOut(from, to uint64, r HashReader) ([]Item, error) {
	var items []Item
	for from < to {
		level := fit(from, to)
		h, err := r.ReadHash(level, from>>level)
		if err != nil {
			return nil, err
		}
		items = append(items, Item{Level: level, Hash: h})
		from += 1 << level
	}
	return items, nil
}

// Window says which entries an answer claims to hold completely. Bounds are half open; the zero Until and To mean "to the end".
type Window struct {
	From  uint64   `json:"from"`            // index
	To    uint64   `json:"to"`              // index; 0: the size of the checkpoint
	Since uint64   `json:"since,omitempty"` // microseconds
	Until uint64   `json:"until,omitempty"` // microseconds; 0: no bound
	Types []string `json:"types,omitempty"` // empty: every type
}

// holds says whether an entry lies in the window, whatever its type.
func (w *Window) holds(l *Leaf) bool { return !w.before(l.Index, l.Time) && !w.after(l.Index, l.Time) }

// before says whether an entry with this index and time, and so every earlier one, lies before the window.
func (w *Window) before(index, time uint64) bool { return index < w.From || time < w.Since }

// after says whether an entry with this index and time, and so every later one, lies behind the window.
func (w *Window) after(index, time uint64) bool {
	return w.To != 0 && index >= w.To || w.Until != 0 && time >= w.Until
}
