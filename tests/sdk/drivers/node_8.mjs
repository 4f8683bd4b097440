// Drives @zohocrm/nodejs-sdk-8.0. Its only argument is the folder that holds node_modules.

import { createRequire } from "module";
import path from "path";
import { pathToFileURL } from "url";
import steps from "./node_steps.cjs";

const main = createRequire(path.join(process.argv[2], "x.js")).resolve("@zohocrm/nodejs-sdk-8.0");
const zoho = await import(pathToFileURL(main));

const queries = { BodyWrapper: zoho.Coql.BodyWrapper, Operations: zoho.Coql.CoqlOperations };
const sdk = { ...zoho.BulkWrite, record: zoho.Record, queries, read: zoho.BulkRead };
for (const name of ["StreamWrapper", "Choice", "HeaderMap", "ParameterMap"]) sdk[name] = zoho[name];

class Driver8 extends steps.Driver {
	async initialise({ base_url, accounts_url, upload_url, token, store }) {
		const oauth = new zoho.OAuthBuilder();
		if ("client_id" in token) oauth.clientId(token.client_id).clientSecret(token.client_secret);
		if ("refresh_token" in token) oauth.refreshToken(token.refresh_token);
		if ("grant_token" in token) oauth.grantToken(token.grant_token);
		if ("redirect_url" in token) oauth.redirectURL(token.redirect_url);
		if ("access_token" in token) oauth.accessToken(token.access_token);
		// The hosts of Zoho where none are given.
		const environment = base_url
			? zoho.DataCenter.setEnvironment(base_url, `${accounts_url}/oauth/v2/token`, upload_url)
			: zoho.USDataCenter.PRODUCTION();
		const builder = await new zoho.InitializeBuilder();
		builder
			.environment(environment)
			.token(oauth.build())
			.store(new zoho.FileStore(store))
			.resourcePath(process.cwd())
			.logger(new zoho.LogBuilder().level(zoho.Levels.INFO).filePath("sdk.log").build());
		await builder.initialize();
	}

	module(name) {
		const made = new zoho.Modules.MinifiedModule();
		made.setAPIName(name);
		return made;
	}

	defaultValue({ value }) {
		const made = new sdk.DefaultValue();
		made.setValue(value);
		return made;
	}

	getRecord(module, id, parameters, headers) {
		return new zoho.Record.RecordOperations(module).getRecord(id, parameters, headers);
	}

	callRecords(module, method, given, headers) {
		return new zoho.Record.RecordOperations(module)[method](given, headers);
	}

	async setField(criteria, name) {
		const made = new zoho.Fields.MinifiedField();
		made.setAPIName(name);
		await criteria.setField(made);
	}

	jobId(digits) {
		return digits;
	}
}

await new Driver8(sdk).run();
