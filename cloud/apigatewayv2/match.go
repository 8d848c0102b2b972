package apigatewayv2

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/executeapi"
)

// match is the route that takes a call, and what its path's variables are.
type match struct {
	route      types.Route
	parameters map[string]string
}

// route finds the route for a method and a path: of those whose path fits the
// one that says the most of it, then the one that names the method; $default
// if there is none.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func (c config) route(method, path string) (match, bool) {
	var found match
	best := ""
	for _, r := range c.Routes {
		key := aws.ToString(r.RouteKey)
		if key == defaultKey {
			if best == "" {
				found, best = match{route: r}, "!" // below all others
			}
			continue
		}
		verb, pattern, _ := strings.Cut(key, " ")
		if verb != "ANY" && verb != method {
			continue
		}
		parameters, rank, ok := executeapi.MatchPath(pattern, path)
		if !ok {
			continue
		}
		if verb != "ANY" {
			rank += "~"
		}
		if rank > best {
			found, best = match{r, parameters}, rank
		}
	}
	return found, best != ""
}
