package eliza

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/server/express"
)

// Lifecycle starts and stops agents: a changed or added agent needs a new boot statement, which this package cannot make.
type Lifecycle interface {
	// Start runs a character that is not running yet.
	Start(ctx context.Context, c *character.Character) (*agent.Agent, error)
	// Change gives a running agent another character with the same id. If that fails the old one is started again.
	Change(ctx context.Context, c *character.Character) (*agent.Agent, error)
	// Stop ends an agent; its log stays.
	Stop(ctx context.Context, id string) error
	// Load reads a character file from where the operator keeps them.
	Load(path string) (*character.Character, error)
}

// RefusedError is what a Lifecycle answers for a character that this process must not run, whoever asks.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return e.Why }

// statusOf a lifecycle's error.
func statusOf(err error) int {
	if _, ok := errors.AsType[*RefusedError](err); ok {
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

type row struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Clients []string `json:"clients"`
}

func (s *routes) list(w http.ResponseWriter, _ *http.Request) {
	rows := []row{}
	for _, a := range s.Agents.All() {
		rows = append(rows, row{a.ID(), a.Name(), append([]string{}, a.Character().Clients...)})
	}
	express.JSON(w, http.StatusOK, map[string]any{"agents": rows})
}

const badAgentID = "Invalid AgentId format. Expected to be a UUID: xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

// find answers Eliza's errors itself and returns nil.
func (s *routes) find(w http.ResponseWriter, id string) *agent.Agent {
	if !uuid.Valid(id) {
		express.Fail(w, http.StatusBadRequest, badAgentID)
		return nil
	}
	a, ok := s.Agents.Get(id)
	if !ok {
		express.Fail(w, http.StatusNotFound, "Agent not found")
		return nil
	}
	return a
}

func (s *routes) agent(w http.ResponseWriter, r *http.Request) {
	if a := s.find(w, r.PathValue("id")); a != nil {
		shown(w, a, "")
	}
}

// shown answers {id, character} with the exact bytes that the boot statement commits to: no secret is in them.
func shown(w http.ResponseWriter, a *agent.Agent, warning string) {
	express.JSON(w, http.StatusOK, struct {
		ID        string          `json:"id"`
		Character json.RawMessage `json:"character"`
		Warning   string          `json:"warning,omitempty"`
	}{a.ID(), a.Character().Public(), warning})
}

func (s *routes) remove(w http.ResponseWriter, r *http.Request) {
	if a := s.find(w, r.PathValue("id")); a != nil && s.end(w, r, a) {
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *routes) stop(w http.ResponseWriter, r *http.Request) {
	a, ok := s.Agents.Get(r.PathValue("id"))
	if !ok {
		express.Fail(w, http.StatusNotFound, "Agent not found")
		return
	}
	if s.end(w, r, a) {
		express.JSON(w, http.StatusOK, map[string]bool{"success": true})
	}
}

func (s *routes) end(w http.ResponseWriter, r *http.Request, a *agent.Agent) bool {
	if s.Lifecycle == nil {
		express.Fail(w, http.StatusNotImplemented, "agents of this process cannot be stopped one by one")
		return false
	}
	if err := s.Lifecycle.Stop(r.Context(), a.ID()); err != nil {
		express.Fail(w, http.StatusInternalServerError, err.Error())
		return false
	}
	return true
}

const maxCharacter = 4 << 20

// set replaces a character. The old agent runs until the new one does: in Eliza an invalid body had removed it already.
func (s *routes) set(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCharacter))
	if err != nil {
		refuse(w, tooLarge(err), err)
		return
	}
	id := r.PathValue("id")
	if !uuid.Valid(id) {
		express.Fail(w, http.StatusBadRequest, badAgentID)
		return
	}
	c, err := character.Parse(body, character.Options{})
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if c.ID != id {
		refuse(w, http.StatusBadRequest, fmt.Errorf("the character's id is %s, the path says %s: one log has one agent", c.ID, id))
		return
	}
	if s.Lifecycle == nil {
		refuse(w, http.StatusNotImplemented, errors.New("characters of this process cannot be changed while it runs"))
		return
	}
	change, warning := s.Lifecycle.Start, ""
	if old, running := s.Agents.Get(id); running {
		warning = inherit(c, old.Character())
		change = s.Lifecycle.Change
	}
	a, err := change(r.Context(), c)
	if err != nil {
		refuse(w, statusOf(err), err)
		return
	}
	shown(w, a, warning)
}

// inherit lets a new definition keep the old one's secrets where they would go to the same places, and else says why not.
func inherit(c, old *character.Character) (warning string) {
	if changed := c.Inherit(old); changed != "" {
		return "the old character's secrets were not carried over, because " + changed + " decides where they go and has changed; send what is needed in settings.secrets"
	}
	return ""
}

// refuse answers Eliza's {success:false, message}.
func refuse(w http.ResponseWriter, status int, err error) {
	express.JSON(w, status, map[string]any{"success": false, "message": err.Error()})
}

func tooLarge(err error) int {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

func (s *routes) start(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Path      string          `json:"characterPath"`
		Character json.RawMessage `json:"characterJson"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCharacter)).Decode(&in); err != nil {
		express.Fail(w, tooLarge(err), "the body is no JSON: "+err.Error())
		return
	}
	if s.Lifecycle == nil {
		express.Fail(w, http.StatusNotImplemented, "agents cannot be added to this process while it runs")
		return
	}
	c, err := s.character(in.Path, in.Character)
	if err != nil {
		express.Fail(w, http.StatusBadRequest, err.Error())
		return
	}
	a, err := s.Lifecycle.Start(r.Context(), c)
	if err != nil {
		express.Fail(w, statusOf(err), err.Error())
		return
	}
	shown(w, a, "")
}

func (s *routes) character(path string, inline json.RawMessage) (*character.Character, error) {
	switch {
	case len(inline) > 0 && string(inline) != "null":
		if inline[0] == '"' { // Eliza's clients send an object or a text
			var text string
			if err := json.Unmarshal(inline, &text); err != nil {
				return nil, err
			}
			inline = json.RawMessage(text)
		}
		return character.Parse(inline, character.Options{})
	case path != "":
		return s.Lifecycle.Load(path)
	}
	return nil, errors.New("no character path or JSON provided: send characterPath or characterJson")
}

func (s *routes) channels(w http.ResponseWriter, r *http.Request) {
	if a := s.find(w, r.PathValue("id")); a != nil {
		express.JSON(w, http.StatusOK, map[string]any{"id": a.ID(), "character": json.RawMessage(a.Character().Public()), "guilds": []string{}, "serverCount": 0})
	}
}
