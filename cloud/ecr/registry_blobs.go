package ecr

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"ouro/cloud/store"
)

func (x *exchange) digest(text string) (string, error) {
	if !digestPattern().MatchString(text) {
		return "", refuse("ImageDigestDoesNotMatch", "invalid digest %q: digests are sha256: and 64 digits of lower-case hexadecimal", text)
	}
	return text, nil
}

// getBlob gives a layer or a part of it, or tells that it is there.
func (x *exchange) getBlob(ctx context.Context) error {
	digest, err := x.digest(x.ref)
	if err != nil {
		return err
	}
	if _, err := x.layer(ctx, x.scope, x.repo, digest, x.r.Method == http.MethodHead); err != nil {
		return missing(err, noLayers(x.scope, x.repo, digest))
	}
	return x.sendFile(x.w, x.r, digest)
}

func (s *Service) sendFile(w http.ResponseWriter, r *http.Request, digest string) error {
	f, err := s.blobs.open(digest)
	if err != nil {
		return fmt.Errorf("opening the layer %s: %w", digest, err)
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("ETag", `"`+digest+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// serveDownload gives the layer that a ticket is for.
func (s *Service) serveDownload(w http.ResponseWriter, r *http.Request) {
	c, ok := s.unseal(r.URL.Query().Get("ticket"), bindDownload)
	repository, digest, _ := strings.Cut(c.Layer, "@")
	if !ok || digest != strings.TrimPrefix(r.URL.Path, downloads) || s.now().After(c.Expires) {
		http.Error(w, "the URL of the layer has expired, or is none that ECR gave out", http.StatusForbidden)
		return
	}
	_, err := s.layer(r.Context(), c.Scope, repository, digest, false)
	switch {
	case errors.Is(err, store.ErrNotFound):
		http.Error(w, "the layer is gone", http.StatusNotFound)
		return
	case err == nil:
		err = s.sendFile(w, r, digest)
	}
	if err != nil {
		s.host.Log().Error("serving a layer", "error", err)
		http.Error(w, "the local cloud failed", http.StatusInternalServerError)
	}
}

// startBlob begins an upload, takes a whole layer at once, or the layer of
// another repository.
func (x *exchange) startBlob(ctx context.Context) error {
	q := x.r.URL.Query()
	if mounted, err := x.mount(ctx, q.Get("mount"), q.Get("from")); err != nil || mounted {
		return err
	}
	whole := q.Get("digest")
	if whole != "" {
		if _, err := x.digest(whole); err != nil {
			return err
		}
	}
	id, err := x.startUpload(ctx, x.scope, x.repo)
	if err != nil {
		return err
	}
	x.ref = id
	if whole != "" {
		return x.finishBlob(ctx)
	}
	x.progress(http.StatusAccepted, upload{})
	return nil
}

// mount enters a layer that another repository of the registry has, where the
// account's setting BLOB_MOUNTING allows it. Where it does not, the client is
// to upload the layer.
func (x *exchange) mount(ctx context.Context, digest, from string) (bool, error) {
	if digest == "" || from == "" || !digestPattern().MatchString(digest) {
		return false, nil
	}
	reg, err := x.registries.Get(ctx, x.scope, registryID)
	if missing(err, nil) != nil || reg.setting(blobMounting) != enabled {
		return false, missing(err, nil)
	}
	_, source, err := x.find(ctx, &x.scope.Account, &from, "BatchGetImage")
	if err != nil {
		return false, nil //nolint:nilerr // a client that cannot mount uploads
	}
	x.blobs.keeping.RLock()
	defer x.blobs.keeping.RUnlock()
	l, err := x.layer(ctx, x.scope, source.Name, digest, false)
	if err != nil {
		return false, missing(err, nil)
	}
	if err := x.hold(ctx, x.scope, x.repo, digest, l.Size); err != nil {
		return false, err
	}
	x.created(digest)
	return true, nil
}

// created tells that a layer is there now.
func (x *exchange) created(digest string) {
	x.w.Header().Set("Location", root+x.repo+"/blobs/"+digest)
	x.w.Header().Set("Docker-Content-Digest", digest)
	x.w.WriteHeader(http.StatusCreated)
}

// progress tells how far an upload is.
func (x *exchange) progress(status int, u upload) {
	x.w.Header().Set("Location", root+x.repo+"/blobs/uploads/"+x.ref)
	x.w.Header().Set("Range", fmt.Sprintf("0-%d", max(u.Received-1, 0)))
	x.w.Header().Set("Docker-Upload-UUID", x.ref)
	x.w.WriteHeader(status)
}

func (x *exchange) blobStatus(ctx context.Context) error {
	u, err := x.upload(ctx, x.scope, x.repo, x.ref)
	if err == nil {
		x.progress(http.StatusNoContent, u)
	}
	return err
}

func (x *exchange) cancelBlob(ctx context.Context) error {
	err := x.cancel(ctx, x.scope, x.repo, x.ref)
	if err == nil {
		x.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// patchBlob takes the next bytes of an upload. A chunk that does not follow on
// those that are there is told how far the upload is.
func (x *exchange) patchBlob(ctx context.Context) error {
	u, err := x.chunk(ctx)
	switch {
	case isCode(err, "InvalidLayerPart"):
		if u, err := x.upload(ctx, x.scope, x.repo, x.ref); err == nil {
			x.progress(http.StatusRequestedRangeNotSatisfiable, u)
			return nil
		}
		return err
	case err != nil:
		return err
	}
	x.progress(http.StatusAccepted, u)
	return nil
}

// chunk takes the request's body into the upload.
func (x *exchange) chunk(ctx context.Context) (upload, error) {
	return x.receive(ctx, x.scope, x.repo, x.ref, x.r.Body, func(u *upload) error {
		text := x.r.Header.Get("Content-Range")
		if text == "" {
			return nil
		}
		var first, last int64
		if _, err := fmt.Sscanf(strings.TrimPrefix(text, "bytes "), "%d-%d", &first, &last); err != nil ||
			first != u.Received || x.r.ContentLength >= 0 && last-first+1 != x.r.ContentLength {
			return refuse("InvalidLayerPart", "the range %q does not follow on the %d bytes that were received", text, u.Received)
		}
		return nil
	})
}

// finishBlob takes the rest of an upload, if the request has one, and makes it
// a layer.
func (x *exchange) finishBlob(ctx context.Context) error {
	digest, err := x.digest(x.r.URL.Query().Get("digest"))
	if err != nil {
		return err
	}
	if x.r.ContentLength != 0 {
		if _, err := x.chunk(ctx); err != nil {
			return err
		}
	}
	if err := x.finish(ctx, x.scope, x.repo, x.ref, digest); err != nil {
		return err
	}
	x.created(digest)
	return nil
}
