// Drives @zohocrm/nodejs-sdk-2.0. Its only argument is the folder that holds node_modules.

const path = require("path");
const { Driver } = require("./node_steps.cjs");

const root = path.join(process.argv[2], "node_modules", "@zohocrm", "nodejs-sdk-2.0");
const take = (place) => require(path.join(root, place));
const api = (place) => take(`core/com/zoho/crm/api/${place}`);
const bulk = (name) => api(`bulk_write/${name}`).MasterModel;
const read = (name) => api(`bulk_read/${name}`).MasterModel;

const sdk = {
	BulkWriteOperations: bulk("bulk_write_operations"),
	UploadFileHeader: api("bulk_write/bulk_write_operations").UploadFileHeader,
	FileBodyWrapper: bulk("file_body_wrapper"),
	RequestWrapper: bulk("request_wrapper"),
	CallBack: bulk("call_back"),
	Resource: bulk("resource"),
	FieldMapping: bulk("field_mapping"),
	StreamWrapper: take("utils/util/stream_wrapper").MasterModel,
	Choice: take("utils/util/choice").MasterModel,
	HeaderMap: take("routes/header_map").MasterModel,
	ParameterMap: take("routes/parameter_map").MasterModel,
	record: {
		...api("record/record_operations"),
		Record: api("record/record").MasterModel,
		BodyWrapper: api("record/body_wrapper").MasterModel,
	},
	queries: {
		BodyWrapper: api("query/body_wrapper").MasterModel,
		Operations: api("query/query_operations").MasterModel,
	},
	read: {
		BulkReadOperations: read("bulk_read_operations"),
		BodyWrapper: read("request_wrapper"),
		Query: read("query"),
		Criteria: read("criteria"),
		CallBack: read("call_back"),
		FileBodyWrapper: read("file_body_wrapper"),
	},
};
const { InitializeBuilder } = take("routes/initialize_builder");
const { OAuthBuilder } = take("models/authenticator/oauth_builder");
const { FileStore } = take("models/authenticator/store/file_store");
const { UserSignature } = take("routes/user_signature");
const { Environment } = take("routes/dc/environment");
const { USDataCenter } = take("routes/dc/us_data_center");
const { Levels } = take("routes/logger/logger");
const { LogBuilder } = take("routes/logger/log_builder");

class Driver2 extends Driver {
	async initialise({ base_url, accounts_url, upload_url, email, token, store }) {
		const oauth = new OAuthBuilder();
		if ("client_id" in token) oauth.clientId(token.client_id).clientSecret(token.client_secret);
		if ("refresh_token" in token) oauth.refreshToken(token.refresh_token);
		if ("grant_token" in token) oauth.grantToken(token.grant_token);
		if ("redirect_url" in token) oauth.redirectURL(token.redirect_url);
		if ("access_token" in token) oauth.accessToken(token.access_token);
		// The hosts of Zoho where none are given.
		const environment = base_url
			? new Environment(base_url, `${accounts_url}/oauth/v2/token`, upload_url, "local")
			: USDataCenter.PRODUCTION();
		const builder = await new InitializeBuilder();
		builder
			.user(new UserSignature(email))
			.environment(environment)
			.token(oauth.build())
			.store(new FileStore(store))
			.resourcePath(process.cwd())
			.logger(new LogBuilder().level(Levels.INFO).filePath("sdk.log").build());
		builder.initialize();
		// initialize() continues in the background and returns no promise.
		await new Promise(setImmediate);
	}

	module(name) {
		return name;
	}

	defaultValue(value) {
		return new Map(Object.entries(value));
	}

	getRecord(module, id, parameters, headers) {
		return new sdk.record.RecordOperations().getRecord(id, module, parameters, headers);
	}

	callRecords(module, method, given, headers) {
		return new sdk.record.RecordOperations()[method](module, given, headers);
	}

	setField(criteria, name) {
		criteria.setAPIName(name);
	}

	jobId(digits) {
		return BigInt(digits);
	}
}

new Driver2(sdk).run();
