package tlog

import "fmt"

// Speaker says how the identity of the one who spoke was established.
type Speaker uint8

// Speakers. The zero value claims nothing.
const (
	SpeakerNone       Speaker = iota // nobody spoke: the agent's own entry
	SpeakerClaimed                   // the caller named a user; nobody checked it
	SpeakerRoomSecret                // the caller held the room's secret
	SpeakerToken                     // the caller held a token of the server
)

var speakers = [...]string{"none", "claimed", "room-secret", "token"}

// String returns the word used in JSON and text.
func (s Speaker) String() string { return word(speakers[:], uint8(s)) }

// MarshalText writes the word.
func (s Speaker) MarshalText() ([]byte, error) { return marshalWord(speakers[:], uint8(s)) }

// UnmarshalText reads the word.
func (s *Speaker) UnmarshalText(b []byte) error { return unmarshalWord(speakers[:], b, (*uint8)(s)) }

// Source says which part made an entry. Teapot sets it, never the caller.
type Source uint8

// Sources. The zero value is the least trusted: claimed by a process outside, recorded by Teapot.
const (
	SourceCaller  Source = iota // a process outside, over the API
	SourceRuntime               // Teapot's own runtime
	SourceGateway               // Teapot's gateway for models, wallets and tools
	SourcePlugin                // code loaded into the agent
)

var sources = [...]string{"caller", "runtime", "gateway", "plugin"}

// String returns the word used in JSON and text.
func (s Source) String() string { return word(sources[:], uint8(s)) }

// MarshalText writes the word.
func (s Source) MarshalText() ([]byte, error) { return marshalWord(sources[:], uint8(s)) }

// UnmarshalText reads the word.
func (s *Source) UnmarshalText(b []byte) error { return unmarshalWord(sources[:], b, (*uint8)(s)) }

// Visibility says who may see an entry's content. It stands in the leaf, so that a reader knows whether content that is not
// there was withheld from the public or was never for it.
type Visibility uint8

// Visibilities. The zero value is private.
const (
	VisibleOwner  Visibility = iota // holders of the receipt, the room secret or a token
	VisiblePublic                   // everybody; missing content is withheld content
	VisibleNever                    // nobody outside the TEE
)

var visibilities = [...]string{"owner", "public", "never"}

// String returns the word used in JSON and text.
func (v Visibility) String() string { return word(visibilities[:], uint8(v)) }

// MarshalText writes the word.
func (v Visibility) MarshalText() ([]byte, error) { return marshalWord(visibilities[:], uint8(v)) }

// UnmarshalText reads the word.
func (v *Visibility) UnmarshalText(b []byte) error {
	return unmarshalWord(visibilities[:], b, (*uint8)(v))
}

// Requester says on whose demand entries were erased.
type Requester uint8

// Requesters. The zero value is not valid in a leaf.
const (
	RequesterNone     Requester = iota
	RequesterUser               // the person whose words they were
	RequesterOperator           // the operator of the agent
	RequesterAgent              // the agent itself
	RequesterPolicy             // a retention rule of the policy in force
)

var requesters = [...]string{"none", "user", "operator", "agent", "policy"}

// String returns the word used in JSON and text.
func (r Requester) String() string { return word(requesters[:], uint8(r)) }

// MarshalText writes the word.
func (r Requester) MarshalText() ([]byte, error) { return marshalWord(requesters[:], uint8(r)) }

// UnmarshalText reads the word.
func (r *Requester) UnmarshalText(b []byte) error {
	return unmarshalWord(requesters[:], b, (*uint8)(r))
}

func word(words []string, v uint8) string {
	if int(v) < len(words) {
		return words[v]
	}
	return fmt.Sprintf("unknown(%d)", v)
}

func marshalWord(words []string, v uint8) ([]byte, error) {
	if int(v) >= len(words) {
		return nil, fmt.Errorf("tlog: value %d has no name", v)
	}
	return []byte(words[v]), nil
}

func unmarshalWord(words []string, text []byte, v *uint8) error {
	for i, w := range words {
		if w == string(text) {
			*v = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("tlog: unknown word %q, want one of %v", clip(string(text)), words)
}
