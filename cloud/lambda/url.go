package lambda

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/store"
)

// functionURL is the URL of $LATEST or of an alias.
type functionURL struct {
	ID, Qualifier    string // Qualifier is empty for $LATEST
	Auth             types.FunctionUrlAuthType
	Mode             types.InvokeMode
	CORS             *types.Cors
	Created, Changed string
}

// urlMark is in the host names of all function URLs:
// ID.lambda-url.REGION.localhost, where AWS has ID.lambda-url.REGION.on.aws.
const urlMark = ".lambda-url."

// address is the URL. Names below localhost lead to this machine in browsers
// and in curl.
func (s *Service) address(t target, u functionURL) string {
	port := ""
	if at, err := url.Parse(s.host.Endpoint()); err == nil && at.Port() != "" {
		port = ":" + at.Port()
	}
	return "http://" + u.ID + urlMark + t.scope.Region + ".localhost" + port + "/"
}

func (s *Service) shownURL(t target, u functionURL) types.FunctionUrlConfig {
	t.qualifier = u.Qualifier
	return types.FunctionUrlConfig{FunctionUrl: aws.String(s.address(t, u)), FunctionArn: aws.String(t.qualified()), AuthType: u.Auth, Cors: u.CORS,
		InvokeMode: u.Mode, CreationTime: &u.Created, LastModifiedTime: &u.Changed}
}

// urlTarget reads a request about a URL: of $LATEST or an alias.
func urlTarget(ctx context.Context, name, qualifier *string, cors *types.Cors, auth types.FunctionUrlAuthType, mode types.InvokeMode) (target, error) {
	var v violations
	if qualifier != nil && (isVersion(*qualifier) || !aliasPattern().MatchString(*qualifier)) {
		v.add(*qualifier, "qualifier", `satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)`)
	}
	among(&v, "authType", auth, auth.Values())
	among(&v, "invokeMode", mode, mode.Values())
	if cors != nil {
		v.number("cors.maxAge", cors.MaxAge, 0, 86400)
		for member, list := range map[string][]string{"allowHeaders": cors.AllowHeaders, "allowOrigins": cors.AllowOrigins, "exposeHeaders": cors.ExposeHeaders} {
			if len(list) > 100 {
				v.add(list, "cors."+member, "have length less than or equal to 100")
			}
		}
		if len(cors.AllowMethods) > 6 {
			v.add(cors.AllowMethods, "cors.allowMethods", "have length less than or equal to 6")
		}
		for _, method := range cors.AllowMethods {
			v.text("cors.allowMethods", &method, 0, 6, nil)
		}
	}
	if err := v.err(); err != nil {
		return target{}, err
	}
	t, err := own(ctx, name, qualifier)
	if err == nil && (t.qualifier == latest || t.qualifier != "" && isVersion(t.qualifier)) {
		err = invalid("Function URLs are of functions and aliases, not of versions.")
	}
	return t, err
}

// CreateFunctionUrlConfig gives a function a URL.
func (s *Service) CreateFunctionUrlConfig(ctx context.Context, in *lambda.CreateFunctionUrlConfigInput) (*lambda.CreateFunctionUrlConfigOutput, error) {
	var v violations
	v.present("authType", in.AuthType != "")
	if err := v.err(); err != nil {
		return nil, err
	}
	t, err := urlTarget(ctx, in.FunctionName, in.Qualifier, in.Cors, in.AuthType, in.InvokeMode)
	if err != nil {
		return nil, err
	}
	u := functionURL{ID: newURLID(), Qualifier: t.qualifier, Auth: in.AuthType, Mode: in.InvokeMode, CORS: in.Cors, Created: s.now(), Changed: s.now()}
	if u.Mode == "" {
		u.Mode = types.InvokeModeBuffered
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if _, _, err := s.lookup(ctx, t); err != nil {
			return missing(err, notFound("Function does not exist"))
		}
		key := qualifiedKey(t.name, t.qualifier)
		err := s.urls.Insert(ctx, t.scope, key, u)
		if errors.Is(err, store.ErrExists) {
			return conflict("Failed to create function url config for [functionArn = %s]. Error message:  FunctionUrlConfig exists for this Lambda function", t.qualified())
		}
		if err == nil {
			err = s.addresses.Put(ctx, store.Scope{}, u.ID, t.scope.Account+"/"+t.scope.Region+"/"+key)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	c := s.shownURL(t, u)
	return &lambda.CreateFunctionUrlConfigOutput{FunctionUrl: c.FunctionUrl, FunctionArn: c.FunctionArn, AuthType: c.AuthType, Cors: c.Cors,
		InvokeMode: c.InvokeMode, CreationTime: c.CreationTime}, nil
}

// newURLID is 32 letters and digits that nobody can guess.
func newURLID() string {
	raw := make([]byte, 20)
	rand.Read(raw) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw))
}

// GetFunctionUrlConfig tells about a URL.
func (s *Service) GetFunctionUrlConfig(ctx context.Context, in *lambda.GetFunctionUrlConfigInput) (*lambda.GetFunctionUrlConfigOutput, error) {
	t, err := urlTarget(ctx, in.FunctionName, in.Qualifier, nil, "", "")
	if err != nil {
		return nil, err
	}
	u, err := s.urls.Get(ctx, t.scope, qualifiedKey(t.name, t.qualifier))
	if err != nil {
		return nil, missing(err, nothing())
	}
	c := s.shownURL(t, u)
	return &lambda.GetFunctionUrlConfigOutput{FunctionUrl: c.FunctionUrl, FunctionArn: c.FunctionArn, AuthType: c.AuthType, Cors: c.Cors,
		InvokeMode: c.InvokeMode, CreationTime: c.CreationTime, LastModifiedTime: c.LastModifiedTime}, nil
}

// UpdateFunctionUrlConfig changes how a URL answers; the URL stays.
func (s *Service) UpdateFunctionUrlConfig(ctx context.Context, in *lambda.UpdateFunctionUrlConfigInput) (*lambda.UpdateFunctionUrlConfigOutput, error) {
	t, err := urlTarget(ctx, in.FunctionName, in.Qualifier, in.Cors, in.AuthType, in.InvokeMode)
	if err != nil {
		return nil, err
	}
	u, err := s.urls.Update(ctx, t.scope, qualifiedKey(t.name, t.qualifier), func(u *functionURL) error {
		if in.AuthType != "" {
			u.Auth = in.AuthType
		}
		if in.InvokeMode != "" {
			u.Mode = in.InvokeMode
		}
		if in.Cors != nil {
			u.CORS = in.Cors
		}
		u.Changed = s.now()
		return nil
	})
	if err != nil {
		return nil, missing(err, nothing())
	}
	c := s.shownURL(t, u)
	return &lambda.UpdateFunctionUrlConfigOutput{FunctionUrl: c.FunctionUrl, FunctionArn: c.FunctionArn, AuthType: c.AuthType, Cors: c.Cors,
		InvokeMode: c.InvokeMode, CreationTime: c.CreationTime, LastModifiedTime: c.LastModifiedTime}, nil
}

// DeleteFunctionUrlConfig takes the URL away; another one will be another.
func (s *Service) DeleteFunctionUrlConfig(ctx context.Context, in *lambda.DeleteFunctionUrlConfigInput) (*lambda.DeleteFunctionUrlConfigOutput, error) {
	t, err := urlTarget(ctx, in.FunctionName, in.Qualifier, nil, "", "")
	if err != nil {
		return nil, err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		key := qualifiedKey(t.name, t.qualifier)
		u, err := s.urls.Get(ctx, t.scope, key)
		if err != nil {
			return missing(err, nothing())
		}
		return errors.Join(s.addresses.Delete(ctx, store.Scope{}, u.ID), s.urls.Delete(ctx, t.scope, key))
	})
	return &lambda.DeleteFunctionUrlConfigOutput{}, err
}

// ListFunctionUrlConfigs tells about the URLs of a function.
func (s *Service) ListFunctionUrlConfigs(ctx context.Context, in *lambda.ListFunctionUrlConfigsInput) (*lambda.ListFunctionUrlConfigsOutput, error) {
	t, err := own(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if _, err := s.find(ctx, t); err != nil {
		return nil, missing(err, notFound("Function does not exist"))
	}
	entries, err := s.urls.List(ctx, t.scope, store.Query{Prefix: t.name + ":"})
	if err != nil {
		return nil, err
	}
	entries, next, err := page(entries, func(e store.Entry[functionURL]) string { return e.ID }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListFunctionUrlConfigsOutput{NextMarker: next, FunctionUrlConfigs: []types.FunctionUrlConfig{}}
	for _, e := range entries {
		out.FunctionUrlConfigs = append(out.FunctionUrlConfigs, s.shownURL(t, e.Value))
	}
	return out, nil
}
