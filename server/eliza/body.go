package eliza

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/uuid"
)

// said is the body of a message, whatever form it came in.
type said struct {
	Text, UserID, RoomID, UserName string
	RoomSecret                     string // hex; a sealed request has it here rather than in a header that a proxy reads
	Files                          []plugin.Attachment
}

// badBody is a body that cannot be read, with the status to answer.
type badBody struct {
	status int
	why    string
}

func (b *badBody) Error() string { return b.why }

func bad(status int, format string, a ...any) error {
	return &badBody{status, fmt.Sprintf(format, a...)}
}

// read reads JSON, urlencoded and multipart bodies, each within its limit.
func (s *routes) read(w http.ResponseWriter, r *http.Request) (said, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return said{}, bad(http.StatusUnsupportedMediaType, "the Content-Type cannot be read")
	}
	switch media {
	case "multipart/form-data":
		if params["boundary"] == "" {
			return said{}, bad(http.StatusBadRequest, "the multipart body has no boundary")
		}
		return s.multipart(w, r)
	case "application/x-www-form-urlencoded":
		return s.form(w, r)
	case "application/json", "":
		return s.json(w, r)
	}
	return said{}, bad(http.StatusUnsupportedMediaType, "send application/json, multipart/form-data or application/x-www-form-urlencoded")
}

func (s *routes) json(w http.ResponseWriter, r *http.Request) (said, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.gate.Body))
	if err != nil {
		return said{}, bad(tooLarge(err), "the body is larger than %d bytes or broke off", s.gate.Body)
	}
	if len(body) == 0 {
		return said{}, nil
	}
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		return said{}, bad(http.StatusBadRequest, "the body is no JSON object: %v", err)
	}
	return pickFields(func(name string) (string, error) { return scalar(name, fields[name]) })
}

// scalar takes a text or a number: Eliza's ids may be numbers, and an object there killed its process.
func scalar(name string, v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case float64:
		return number(v), nil
	}
	return "", bad(http.StatusBadRequest, "%s must be a text", name)
}

// number prints a number as JavaScript does.
func number(v float64) string {
	if math.Abs(v) >= 1e21 {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func pickFields(get func(name string) (string, error)) (said, error) {
	var in said
	var errs []error
	for name, to := range map[string]*string{"text": &in.Text, "userId": &in.UserID, "roomId": &in.RoomID, "userName": &in.UserName, "roomSecret": &in.RoomSecret} {
		v, err := get(name)
		*to = strings.ToValidUTF8(v, "\ufffd")
		errs = append(errs, err)
	}
	if in.UserName == "" {
		name, err := get("name")
		in.UserName = name
		errs = append(errs, err)
	}
	return in, errors.Join(errs...)
}

func (s *routes) form(w http.ResponseWriter, r *http.Request) (said, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.gate.Body))
	if err != nil {
		return said{}, bad(tooLarge(err), "the body is larger than %d bytes or broke off", s.gate.Body)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return said{}, bad(http.StatusBadRequest, "the form cannot be read: %v", err)
	}
	return pickFields(func(name string) (string, error) { return values.Get(name), nil })
}

// multipart reads fields and files. A file never touches the disk under a name that its sender chose: it becomes an
// attachment whose text, if it is text, is part of the recorded message.
func (s *routes) multipart(w http.ResponseWriter, r *http.Request) (said, error) {
	r.Body = http.MaxBytesReader(w, r.Body, s.Uploads+s.gate.Body)
	parts, err := r.MultipartReader()
	if err != nil {
		return said{}, bad(http.StatusBadRequest, "the multipart body cannot be read: %v", err)
	}
	fields := map[string]string{}
	var files []plugin.Attachment
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return said{}, bad(tooLarge(err), "the multipart body cannot be read: %v", err)
		}
		if n >= 32 {
			return said{}, bad(http.StatusBadRequest, "more than 32 parts")
		}
		data, err := io.ReadAll(io.LimitReader(part, s.Uploads+1))
		if err != nil || int64(len(data)) > s.Uploads {
			return said{}, bad(http.StatusRequestEntityTooLarge, "a part is larger than %d bytes or broke off", s.Uploads)
		}
		if part.FileName() == "" {
			fields[part.FormName()] = string(data)
			continue
		}
		files = append(files, attachment(part.FileName(), part.Header.Get("Content-Type"), data))
	}
	in, err := pickFields(func(name string) (string, error) { return fields[name], nil })
	in.Files = files
	return in, err
}

const maxShown = 16 << 10 // bytes of a text file that become part of a message

func attachment(name, contentType string, data []byte) plugin.Attachment {
	name = title(name)
	a := plugin.Attachment{Title: name, Source: "direct", Description: "Uploaded file: " + name, ContentType: contentType}
	if media, _, err := mime.ParseMediaType(contentType); err != nil || len(contentType) > 100 {
		a.ContentType = "application/octet-stream"
	} else if strings.HasPrefix(media, "text/") && utf8.Valid(data) {
		a.Text = strings.ToValidUTF8(string(data[:min(len(data), maxShown)]), "")
	}
	sum := digest(data)
	a.ID, a.URL = uuid.Of(sum), "sha256:"+sum
	return a
}

// title makes a sender's file name a harmless line.
func title(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || strings.ContainsRune(`/\<>"'`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	if r := []rune(name); len(r) > 100 {
		name = string(r[:100])
	}
	return name
}
