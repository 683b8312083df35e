package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/prompt"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/tlog"
)

// Limits of a message.
const (
	MaxText        = 32 << 10 // bytes
	MaxName        = 100      // bytes of a user's name; longer ones are cut
	MaxAttachments = 8
)

// In is a message to the agent.
type In struct {
	Room, User  string // UUIDs
	UserName    string
	Text        string
	Attachments []plugin.Attachment
	Speaker     tlog.Speaker      // how User was established; SpeakerNone counts as claimed
	Shared      bool              // the room is everybody's who names none: nobody gets its secret
	Peer        string            // the sender's network address, if the sender names nobody and is elsewhere: all there is to tell such senders apart
	Secret      []byte            // of a room, if the sender holds one
	Given       string            // the room as the sender wrote it: with its secret, a room's UUID names it as well
	Stream      func(text string) // receives the reply's text as it comes; nil = at once
}

// Out is the agent's answer.
type Out struct {
	Contents []plugin.Content // Eliza's elements; none if the agent chose silence
	Receipt  []byte           // JSON, at most 4 KiB
	Message  actionlog.Proof
	Reply    actionlog.Proof // zero if there was no reply
	Room     string          // where it was said: In.Room, or another if that one is somebody else's

	FirstOfRoom bool // the message is the first of its room: its sender may have the room's secret
}

// TooLargeError is a message beyond a limit.
type TooLargeError struct{ What string }

func (e *TooLargeError) Error() string { return e.What }

// Message takes a message and answers it: message → model call → action → reply, each an entry that names its cause.
// A model that fails is on the record and answered with an apology; an error means that the log did not take an entry.
func (a *Agent) Message(ctx context.Context, in In) (Out, error) {
	if err := check(&in); err != nil {
		return Out{}, err
	}
	ctx, end, err := a.begin(ctx)
	if err != nil {
		return Out{}, err
	}
	defer end()
	first, err := a.place(ctx, &in)
	if err != nil {
		return Out{}, fmt.Errorf("choosing the room: %w", err)
	}
	message, proof, err := a.listen(ctx, in)
	if err != nil {
		return Out{}, err
	}
	t := a.newTurn(ctx, message)
	out := Out{Message: proof, Room: in.Room, FirstOfRoom: first && !in.Shared}
	if a.silent(message) {
		out.Receipt, err = record.Receipt(a.config.Log, proof, actionlog.Proof{})
		return out, err
	}
	out.Contents = t.answer(ctx, in.Stream)
	if out.Reply, err = t.speak(ctx, out.Contents); err != nil {
		return Out{}, err
	}
	if out.Receipt, err = record.Receipt(a.config.Log, proof, out.Reply); err != nil {
		return Out{}, err
	}
	a.later(t)
	return out, nil
}

func check(in *In) error {
	switch {
	case !uuid.Valid(in.Room) || !uuid.Valid(in.User):
		return errors.New("room and user must be UUIDs")
	case len(in.Text) > MaxText:
		return &TooLargeError{fmt.Sprintf("the text has %d bytes, the limit is %d", len(in.Text), MaxText)}
	case len(in.Attachments) > MaxAttachments:
		return &TooLargeError{fmt.Sprintf("%d attachments, the limit is %d", len(in.Attachments), MaxAttachments)}
	}
	in.Text = strings.ToValidUTF8(in.Text, "\ufffd")
	in.UserName = clean(in.UserName)
	if in.Speaker == tlog.SpeakerNone {
		in.Speaker = tlog.SpeakerClaimed
	}
	return nil
}

// clean makes a name one short line: it stands at the beginning of lines in prompts.
func clean(name string) string {
	name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " ")
	for len(name) > MaxName {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return name
}

// listen puts the message on the record before anything else happens.
func (a *Agent) listen(ctx context.Context, in In) (plugin.Message, actionlog.Proof, error) {
	body := memory.Body{Text: in.Text, Name: in.UserName, Source: "direct", Attachments: in.Attachments}
	entry := actionlog.Entry{Type: record.Message, Room: in.Room, User: in.User, Speaker: in.Speaker, Source: tlog.SourceRuntime}
	item, proof, err := a.keep(ctx, entry, body)
	if err != nil {
		return plugin.Message{}, proof, fmt.Errorf("recording the message: %w", err)
	}
	m := a.message(item, in.Speaker == tlog.SpeakerToken)
	m.Ordinal = a.config.Memory.Heard(in.Room)
	return m, proof, nil
}

// keep appends an entry with a body and remembers it.
func (a *Agent) keep(ctx context.Context, e actionlog.Entry, b memory.Body) (memory.Item, actionlog.Proof, error) {
	var err error
	if e.Content, e.MediaType, err = b.Encode(); err != nil {
		return memory.Item{}, actionlog.Proof{}, err
	}
	proofs, err := a.config.Log.Append(ctx, e)
	if err != nil {
		return memory.Item{}, actionlog.Proof{}, err
	}
	item := memory.Item{Index: proofs[0].Index, Type: e.Type, Room: e.Room, User: e.User, At: a.config.Now(), Said: e.Speaker, Body: b}
	a.embed(ctx, &item)
	if err := a.config.Memory.Add(ctx, item, proofs[0].Addendum); err != nil {
		a.config.Logger.WarnContext(ctx, "remembering an entry; the log has it", "index", item.Index, "error", err)
	}
	return item, proofs[0], nil
}

func (a *Agent) message(i memory.Item, authorised bool) plugin.Message {
	return plugin.Message{
		ID: MemoryID(i), Agent: a.ID(), Room: i.Room, User: i.User, UserName: i.Name, Text: i.Text, Action: i.Action,
		Attachments: i.Attachments, At: i.At, Index: i.Index, FromAgent: i.Type == record.Reply, Authorised: authorised,
	}
}

// MemoryID is the UUID that Eliza's clients see for a memory. It is made of the log index, so it stays the same.
func MemoryID(i memory.Item) string { return uuid.Of(fmt.Sprintf("%s-%d-%s", i.Room, i.Index, i.User)) }

// silent says whether the agent keeps quiet: it was muted here and nobody asks it to speak.
func (a *Agent) silent(m plugin.Message) bool {
	text := strings.ToLower(m.Text)
	return a.Room(m.Room).Muted && !strings.Contains(text, "unmute") && !strings.Contains(text, "speak again") && !strings.Contains(text, "取消静音")
}

// answer asks the model and does what it chose. It always has something to say.
func (t *turn) answer(ctx context.Context, stream func(string)) []plugin.Content {
	t.state = t.compose(ctx)
	said, err := t.think(ctx, stream)
	if err != nil {
		return []plugin.Content{t.apology(err)}
	}
	content := plugin.Content{User: t.agent.Name(), Text: said.Text, Action: said.Action}
	if content.Action == "" {
		content.Action = "NONE"
	}
	t.content = content
	return t.act(ctx, content, said)
}

// think calls the model for the reply.
func (t *turn) think(ctx context.Context, stream func(string)) (prompt.Answer, error) {
	r := model.Request{
		Class: model.Large, System: t.agent.character.System, Prompt: prompt.Compose(messageTemplate, t.state),
		Turn: model.Turn{Agent: t.agent.Name(), Text: t.message.Text, History: t.history, Actions: t.possible},
	}
	if stream != nil {
		text := prompt.NewTextStream(stream)
		r.Stream = text.Write
	}
	out, err := t.call(ctx, "reply", r)
	if err != nil {
		return prompt.Answer{}, err
	}
	said := prompt.Reply(out.Text)
	if said.Text == "" && said.Action == "" {
		return said, model.ErrEmpty
	}
	return said, nil
}

// apology says that the model failed and where that is recorded. Eliza tries again for ever.
func (t *turn) apology(err error) plugin.Content {
	text := fmt.Sprintf("I cannot think just now: %s. It is on my record as entry %d.", reason(err), t.modelEntry)
	return plugin.Content{User: t.agent.Name(), Text: text, Action: "NONE"}
}

// reason names the kind of failure without the provider's own words, which may hold anything.
func reason(err error) string {
	if status, ok := errors.AsType[*model.StatusError](err); ok {
		return fmt.Sprintf("my model answered HTTP %d", status.Status)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "my model did not answer in time"
	case errors.Is(err, model.ErrEmpty):
		return "my model answered nothing"
	case errors.Is(err, model.ErrUnconfigured):
		return "I have no model: " + err.Error()
	}
	return "my model cannot be reached or does not make sense"
}

// speak puts the reply on the record. All elements are one entry: that is what the receipt proves.
func (t *turn) speak(ctx context.Context, contents []plugin.Content) (actionlog.Proof, error) {
	var texts []string
	body := memory.Body{Name: t.agent.Name(), InReplyTo: t.message.ID}
	for i := range contents {
		contents[i].InReplyTo = ""
		if i > 0 {
			contents[i].InReplyTo = t.message.ID
		}
		texts = append(texts, contents[i].Text)
		body.Action = contents[i].Action
		body.Attachments = append(body.Attachments, contents[i].Attachments...)
	}
	body.Text = strings.Join(texts, "\n\n")
	entry := actionlog.Entry{
		Type: record.Reply, Room: t.message.Room, User: t.agent.ID(), Source: tlog.SourceRuntime, Cause: t.causes(),
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	item, proof, err := t.agent.keep(ctx, entry, body)
	if err != nil {
		return proof, fmt.Errorf("recording the reply: %w", err)
	}
	t.reply = item.Index
	return proof, nil
}

// causes are what led to the reply: the message, the last model call and the results of what was done.
func (t *turn) causes() []uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := []uint64{t.message.Index}
	if t.modelEntry != 0 {
		list = append(list, t.modelEntry)
	}
	list = append(list, t.results...)
	return list[:min(len(list), tlog.MaxCause)]
}
