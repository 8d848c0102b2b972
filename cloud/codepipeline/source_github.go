package codepipeline

// gitHubRepository is OWNER/REPO of a GitHub action's configuration.
func gitHubRepository(config map[string]string) string { return config["Owner"] + "/" + config["Repo"] }
