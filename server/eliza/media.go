package eliza

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/teapot-tee/teapot/server/express"
)

// whisper wants a file, then an agent, as Eliza asks for them; an unknown agent killed its process.
func (s *routes) whisper(w http.ResponseWriter, r *http.Request) {
	in, err := s.upload(w, r)
	if err != nil {
		s.bad(w, err)
		return
	}
	if len(in.Files) == 0 {
		express.Text(w, http.StatusBadRequest, "No audio file provided")
		return
	}
	if _, ok := s.Agents.Get(r.PathValue("agent")); !ok {
		express.Text(w, http.StatusNotFound, "Agent not found")
		return
	}
	express.Fail(w, http.StatusNotImplemented, "this agent has no transcription service")
}

// upload reads a multipart body and takes every other body for one without a file.
func (s *routes) upload(w http.ResponseWriter, r *http.Request) (said, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return said{}, nil
	}
	return s.multipart(w, r)
}

func (s *routes) image(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.Agents.Get(r.PathValue("agent")); !ok {
		express.Text(w, http.StatusNotFound, "Agent not found")
		return
	}
	express.Fail(w, http.StatusNotImplemented, "this agent has no image service")
}

func (s *routes) speak(w http.ResponseWriter, r *http.Request) { s.voice(w, r, true) }

func (s *routes) tts(w http.ResponseWriter, r *http.Request) { s.voice(w, r, false) }

// voice answers the recorded errors for missing parameters, then says what is not there.
func (s *routes) voice(w http.ResponseWriter, r *http.Request, needsAgent bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.gate.Body))
	if err != nil {
		express.Fail(w, tooLarge(err), "the body is too large or broke off")
		return
	}
	var in struct {
		Text any `json:"text"`
	}
	if err := json.Unmarshal(body, &in); err != nil && len(body) > 0 {
		s.bad(w, errors.New("the body is no JSON object"))
		return
	}
	if said, ok := in.Text.(string); !ok || said == "" {
		express.Text(w, http.StatusBadRequest, "No text provided")
		return
	}
	if _, ok := s.Agents.Get(r.PathValue("agent")); needsAgent && !ok {
		express.Text(w, http.StatusNotFound, "Agent not found")
		return
	}
	express.JSON(w, http.StatusNotImplemented, map[string]string{"error": "Error converting text to speech", "details": "this agent has no speech service"})
}

// absent answers routes that belong to third-party services.
func (s *routes) absent(what string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		express.Fail(w, http.StatusNotImplemented, "Teapot has no "+what+": it would send data to a third party outside the TEE")
	}
}

// noMedia: uploads are part of the recorded message and are never served under a name that somebody chose.
func (s *routes) noMedia(w http.ResponseWriter, _ *http.Request) {
	express.Text(w, http.StatusNotFound, "Not found: uploads are kept in the log, not in a directory")
}
