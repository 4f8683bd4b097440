// A program over zcrmsdk for Node, the official SDK before the present ones (got, API v2, .eu). Its
// argument is the folder that holds node_modules.

const path = require("path");

const take = (place) => require(path.join(process.argv[2], "node_modules", "zcrmsdk", place));
const { Initializer } = take("routes/initializer");
const { OAuthToken, TokenType } = take("models/authenticator/oauth_token");
const { FileStore } = take("models/authenticator/store/file_store");
const { UserSignature } = take("routes/user_signature");
const { EUDataCenter } = take("routes/dc/eu_data_center");
const { Logger, Levels } = take("routes/logger/logger");
const SDKConfigBuilder = take("routes/sdk_config_builder").MasterModel;
const records = take("core/com/zoho/crm/api/record/record_operations");
const BodyWrapper = take("core/com/zoho/crm/api/record/body_wrapper").MasterModel;
const Record = take("core/com/zoho/crm/api/record/record").MasterModel;
const OrgOperations = take("core/com/zoho/crm/api/org/org_operations").MasterModel;

async function main() {
	await Initializer.initialize(
		new UserSignature("p.boyle@zylker.example"),
		EUDataCenter.PRODUCTION(),
		new OAuthToken("1000.CLIENT", "secret", "1000.grant.invented", TokenType.GRANT),
		new FileStore(path.join(process.cwd(), "tokens.csv")),
		new SDKConfigBuilder().build(),
		process.cwd(),
		Logger.getInstance(Levels.INFO, path.join(process.cwd(), "sdk.log")),
	);
	const org = await new OrgOperations().getOrganization();
	const record = new Record();
	record.addKeyValue("Last_Name", "Lee");
	const body = new BodyWrapper();
	body.setData([record]);
	const made = await new records.MasterModel().createRecords("Leads", body);
	const [outcome] = made.object.getData();
	console.log(org.statusCode, made.statusCode, outcome.getCode().getValue());
}

main();
