package character

import (
	"bytes"
	"maps"

	"github.com/teapot-tee/teapot/agent/json5"
)

// Inherit gives a character the secrets and the environment of the one it replaces: what GET shows has no secrets, so who
// edits it and sends it back would lose them. They are given only if they would go where they went before: whoever may
// change a character must not learn its keys by pointing them at a server of their own. The result names the first member
// that sends them elsewhere; then only what is no secret of the environment is taken over.
func (c *Character) Inherit(old *Character) (changed string) {
	if changed = c.redirects(old); changed != "" {
		c.Env = maps.Clone(old.Env)
		maps.DeleteFunc(c.Env, func(name, _ string) bool { return secretName(name) })
		return changed
	}
	c.Env = old.Env
	settings, before := c.Document.Path("settings"), old.Document.Path("settings")
	if _, own := settings.Get("secrets"); own {
		return ""
	}
	for _, m := range before.Members {
		if _, own := settings.Get(m.Name); !own && secretName(m.Name) {
			settings = settings.Set(m.Name, m.Value)
		}
	}
	if len(settings.Members) > 0 {
		c.Document = c.Document.Set("settings", settings)
	}
	return ""
}

// destinations are the members that choose a provider, an endpoint or a plugin, and with it who receives a secret.
var destinations = [...]string{"modelProvider", "modelEndpointOverride", "imageModelProvider", "imageVisionModelProvider", "plugins", "clients"}

// redirects names the first member by which c could send a secret elsewhere than old does. Of the settings all count that
// are not known to be harmless: many of Eliza's are URLs.
func (c *Character) redirects(old *Character) string {
	for _, name := range destinations {
		if !bytes.Equal(c.Document.Path(name).Append(nil), old.Document.Path(name).Append(nil)) {
			return name
		}
	}
	if !bytes.Equal(directing(c.Document), directing(old.Document)) {
		return "settings"
	}
	if redirectsBySecrets(c.Document.Path("settings"), old.Document.Path("settings")) {
		return "settings.secrets"
	}
	return ""
}

// redirectsBySecrets says whether secrets of a definition's own change what is none: getSetting looks for endpoints there too, and first.
func redirectsBySecrets(settings, before json5.Value) bool {
	secrets, own := settings.Get("secrets")
	return own && !bytes.Equal(without(secrets, secretName), without(before.Path("secrets"), secretName))
}

func directing(doc json5.Value) []byte {
	return without(doc.Path("settings"), func(name string) bool {
		return secretName(name) || name == "model" || name == "embeddingModel" || name == "modelConfig"
	})
}

// without is what is left of an object; no object and an empty one are alike.
func without(v json5.Value, drop func(name string) bool) []byte {
	if v = v.Without(drop); len(v.Members) == 0 {
		return nil
	}
	return v.Append(nil)
}
