package ecr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	mediatypes "github.com/google/go-containerregistry/pkg/v1/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// getManifest gives a manifest by tag or digest, as it was pushed.
func (x *exchange) getManifest(ctx context.Context) error {
	digest, tag := "", x.ref
	if digestPattern().MatchString(x.ref) {
		digest, tag = x.ref, ""
	}
	i, err := x.image(ctx, x.scope, x.repo, digest, tag)
	if errors.Is(err, store.ErrNotFound) {
		return refuse("ImageNotFound", "Requested image not found")
	}
	if err != nil {
		return err
	}
	x.w.Header().Set("Content-Type", i.MediaType)
	x.w.Header().Set("Docker-Content-Digest", i.Digest)
	x.w.Header().Set("Content-Length", strconv.FormatInt(i.Manifest, 10))
	if x.r.Method == http.MethodHead {
		return nil
	}
	content, err := x.manifest(i)
	if err == nil {
		err = x.pulled(ctx, x.scope, x.repo, i)
	}
	if err != nil {
		x.w.Header().Del("Content-Length")
		return err
	}
	x.w.Write(content) //nolint:errcheck // the client is gone: nobody is left to tell
	return nil
}

// putManifest enters an image under a tag, or under its digest alone.
func (x *exchange) putManifest(ctx context.Context) error {
	content, err := io.ReadAll(io.LimitReader(x.r.Body, maxManifest+1))
	if err != nil {
		return fmt.Errorf("reading the manifest of %q: %w", x.repo, err)
	}
	p := push{scope: x.scope, repository: x.repo, content: content, mediaType: x.r.Header.Get("Content-Type"), tag: x.ref, again: true}
	if strings.Contains(x.ref, ":") {
		if x.ref != digestOf(content) {
			return refuse("ImageDigestDoesNotMatch", "the digest %s is not that of the manifest, %s", x.ref, digestOf(content))
		}
		p.tag = ""
	}
	if p.tag != "" && !tagPattern().MatchString(p.tag) {
		return refuse("InvalidTag", "invalid tag %q", p.tag)
	}
	i, err := x.put(ctx, p)
	if err != nil {
		return err
	}
	x.w.Header().Set("Location", root+x.repo+"/manifests/"+i.Digest)
	x.w.Header().Set("Docker-Content-Digest", i.Digest)
	if i.Subject != "" {
		x.w.Header().Set("OCI-Subject", i.Subject)
	}
	x.w.WriteHeader(http.StatusCreated)
	return nil
}

// page reads how much of a list is wanted, at most maxPage.
func (x *exchange) page() (page, error) {
	p := page{after: x.r.URL.Query().Get("last"), size: maxPage}
	if n := x.r.URL.Query().Get("n"); n != "" {
		size, err := strconv.Atoi(n)
		if err != nil || size < 1 {
			return p, refuse("InvalidName", "invalid number of entries %q", n)
		}
		p.size = min(size, maxPage)
	}
	return p, nil
}

// more tells where the list goes on after the last of names.
func (x *exchange) more(p page, names []string) {
	q := url.Values{"n": {strconv.Itoa(p.size)}, "last": {names[len(names)-1]}}
	x.w.Header().Set("Link", fmt.Sprintf("<%s?%s>; rel=\"next\"", x.r.URL.EscapedPath(), q.Encode()))
}

func (x *exchange) listTags(ctx context.Context) error {
	p, err := x.page()
	if err != nil {
		return err
	}
	prefix := tagID(x.repo, "")
	list, err := x.tagged.List(ctx, x.scope, store.Query{Prefix: prefix, After: prefix + p.after, Limit: p.size + 1})
	if err != nil {
		return err
	}
	tags := []string{}
	for _, e := range list[:min(len(list), p.size)] {
		tags = append(tags, strings.TrimPrefix(e.ID, prefix))
	}
	if len(list) > p.size {
		x.more(p, tags)
	}
	return x.json(map[string]any{"name": x.repo, "tags": tags})
}

func (x *exchange) catalog(ctx context.Context) error {
	p, err := x.page()
	if err != nil {
		return err
	}
	if x.scope != door.CallerFrom(ctx).Scope() {
		return denied(ctx, "DescribeRepositories", arnOf(x.scope, "*"))
	}
	list, err := x.repositories.List(ctx, x.scope, store.Query{After: p.after, Limit: p.size + 1})
	if err != nil {
		return err
	}
	names := []string{}
	for _, e := range list[:min(len(list), p.size)] {
		names = append(names, e.ID)
	}
	if len(list) > p.size {
		x.more(p, names)
	}
	return x.json(map[string]any{"repositories": names})
}

// listReferrers gives the images that refer to one, as an index.
func (x *exchange) listReferrers(ctx context.Context) error {
	digest, err := x.digest(x.ref)
	if err != nil {
		return err
	}
	images, err := x.all(ctx, x.scope, x.repo)
	if err != nil {
		return err
	}
	kind := x.r.URL.Query().Get("artifactType")
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: mediatypes.OCIImageIndex, Manifests: []v1.Descriptor{}}
	for _, i := range images {
		if i.Subject != digest || kind != "" && kind != i.ArtifactType {
			continue
		}
		hash, err := v1.NewHash(i.Digest)
		if err != nil {
			return fmt.Errorf("reading the digest of an image: %w", err)
		}
		index.Manifests = append(index.Manifests, v1.Descriptor{
			MediaType: mediatypes.MediaType(i.MediaType), Size: i.Manifest, Digest: hash, ArtifactType: i.ArtifactType, Annotations: i.Annotations,
		})
	}
	if kind != "" {
		x.w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	text, err := json.Marshal(index)
	if err != nil {
		return fmt.Errorf("writing what refers to %s: %w", digest, err)
	}
	x.w.Header().Set("Content-Type", string(mediatypes.OCIImageIndex))
	x.w.Write(text) //nolint:errcheck // the client is gone: nobody is left to tell
	return nil
}
