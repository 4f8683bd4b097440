// The common part of the Node drivers: a bulk write in an SDK's own objects, one step a line.
//
// A line on standard input is a JSON object, `do` names the step; the response is a line of JSON
// behind `@ `. It reports the class of the SDK's objects and the value of each getter.

const fs = require("fs");
const readline = require("readline");

/** The steps that both versions of the SDK take alike; `sdk` has the classes they need. */
class Driver {
	constructor(sdk) {
		this.sdk = sdk;
	}

	async upload({ path, feature, org_id }) {
		const { BulkWriteOperations, UploadFileHeader, FileBodyWrapper } = this.sdk;
		const request = new FileBodyWrapper();
		await request.setFile(new this.sdk.StreamWrapper(null, null, path));
		const headers = new this.sdk.HeaderMap();
		await headers.add(UploadFileHeader.FEATURE, feature);
		await headers.add(UploadFileHeader.X_CRM_ORG, org_id);
		return new BulkWriteOperations().uploadFile(request, headers);
	}

	async create({ request }) {
		const { BulkWriteOperations, RequestWrapper, CallBack, Choice } = this.sdk;
		const made = new RequestWrapper();
		made.setOperation(new Choice(request.operation));
		made.setResource(await Promise.all(request.resource.map((r) => this.resource(r))));
		if ("character_encoding" in request) made.setCharacterEncoding(request.character_encoding);
		if ("ignore_empty" in request) made.setIgnoreEmpty(request.ignore_empty);
		if ("callback" in request) {
			const callback = new CallBack();
			callback.setUrl(request.callback.url);
			callback.setMethod(new Choice(request.callback.method));
			await made.setCallback(callback);
		}
		return new BulkWriteOperations().createBulkWriteJob(made);
	}

	async details({ job_id }) {
		return new this.sdk.BulkWriteOperations().getBulkWriteJobDetails(this.jobId(job_id));
	}

	async download({ url, into }) {
		const answer = await new this.sdk.BulkWriteOperations().downloadBulkWriteResult(url);
		return saved(answer, this.sdk.FileBodyWrapper, into);
	}

	async create_read({ request }) {
		const { BulkReadOperations, BodyWrapper, Query, CallBack } = this.sdk.read;
		const query = new Query();
		await query.setModule(this.module(request.module));
		query.setFields(request.fields);
		await query.setCriteria(await this.criteria(request.criteria));
		const callback = new CallBack();
		callback.setUrl(request.callback);
		callback.setMethod(new this.sdk.Choice("post"));
		const made = new BodyWrapper();
		await made.setQuery(query);
		await made.setCallback(callback);
		return new BulkReadOperations().createBulkReadJob(made);
	}

	async read_details({ job_id }) {
		return new this.sdk.read.BulkReadOperations().getBulkReadJobDetails(BigInt(job_id));
	}

	async read_result({ job_id, into }) {
		const answer = await new this.sdk.read.BulkReadOperations().downloadResult(BigInt(job_id));
		return saved(answer, this.sdk.read.FileBodyWrapper, into);
	}

	async criteria(wanted) {
		const made = new this.sdk.read.Criteria();
		if ("group" in wanted) {
			made.setGroup(await Promise.all(wanted.group.map((part) => this.criteria(part))));
			made.setGroupOperator(new this.sdk.Choice(wanted.group_operator));
			return made;
		}
		await this.setField(made, wanted.api_name);
		made.setComparator(new this.sdk.Choice(wanted.comparator));
		made.setValue(wanted.value);
		return made;
	}

	/** Every SDK reads the fields of the module and of all its lookups first. */
	async record({ module, record_id }) {
		return this.getRecord(module, BigInt(record_id), new this.sdk.ParameterMap(),
			new this.sdk.HeaderMap());
	}

	/** Calls a method of RecordOperations with records, or with parameters of a group. */
	async call({ method, module, records, check, group, parameters }) {
		const record = this.sdk.record;
		let given = new this.sdk.ParameterMap();
		if (records === undefined) {
			for (const [key, value] of Object.entries(parameters)) {
				await given.add(record[group][key.toUpperCase()], value);
			}
		} else {
			given = new record.BodyWrapper();
			given.setData(records.map((values) => {
				const made = new record.Record();
				for (const [key, value] of Object.entries(values)) {
					if (key === "id") made.setId(BigInt(value));
					else made.addKeyValue(key, value);
				}
				return made;
			}));
			if (check) given.setDuplicateCheckFields(check);
		}
		const called = method.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
		return this.callRecords(module, called, given, new this.sdk.HeaderMap());
	}

	async query({ text }) {
		const made = new this.sdk.queries.BodyWrapper();
		made.setSelectQuery(text);
		return new this.sdk.queries.Operations().getRecords(made);
	}

	async resource(wanted) {
		const made = new this.sdk.Resource();
		made.setType(new this.sdk.Choice("data"));
		await made.setModule(this.module(wanted.module));
		if ("file_id" in wanted) made.setFileId(wanted.file_id);
		if ("find_by" in wanted) made.setFindBy(wanted.find_by);
		if ("ignore_empty" in wanted) made.setIgnoreEmpty(wanted.ignore_empty);
		if ("file_names" in wanted) made.setFileNames(wanted.file_names);
		if ("field_mappings" in wanted) {
			const mappings = wanted.field_mappings.map((m) => this.mapping(m));
			made.setFieldMappings(await Promise.all(mappings));
		}
		return made;
	}

	async mapping(wanted) {
		const made = new this.sdk.FieldMapping();
		made.setAPIName(wanted.api_name);
		if ("index" in wanted) made.setIndex(wanted.index);
		if ("format" in wanted) made.setFormat(wanted.format);
		if ("find_by" in wanted) made.setFindBy(wanted.find_by);
		if ("module" in wanted) made.setModule(wanted.module);
		if ("default_value" in wanted) {
			await made.setDefaultValue(this.defaultValue(wanted.default_value));
		}
		return made;
	}

	/** Responds to each line of standard input until it ends. */
	async run() {
		for await (const line of readline.createInterface({ input: process.stdin })) {
			const { do: step, ...wanted } = JSON.parse(line);
			let report = {};
			try {
				if (step === "initialise") await this.initialise(wanted);
				else report = await reportOf(await this[step](wanted));
			} catch (error) {
				report = { raised: error.constructor.name, code: error.code, text: error.toString() };
			}
			process.stdout.write(`@ ${JSON.stringify(report)}\n`);
		}
	}
}

/** Writes the file of a download, if it is one. */
async function saved(answer, kind, into) {
	const wrapper = await answer.getObject();
	if (wrapper instanceof kind) fs.writeFileSync(into, wrapper.getFile().getStream());
	return answer;
}

async function reportOf(answer) {
	if (answer == null) return { class: null };
	// In 8.0 the object of a download is a promise.
	return { http: answer.getStatusCode(), ...(valueOf(await answer.getObject()) || { class: null }) };
}

/** The JSON of a value of the SDK; undefined for null. */
function valueOf(thing) {
	if (thing == null) return undefined;
	if (typeof thing === "bigint") return { bigint: thing.toString() };
	if (typeof thing !== "object") return thing;
	if (thing instanceof Date) return { date: thing.toISOString() };
	if (Array.isArray(thing)) return thing.map(valueOf);
	if (thing instanceof Map) {
		return Object.fromEntries(Array.from(thing, ([key, value]) => [key, valueOf(value)]));
	}
	const name = thing.constructor.name;
	if (name === "Choice") return valueOf(thing.getValue());
	if (name === "StreamWrapper") return { class: name, name: thing.getName() };
	if (typeof thing.isKeyModified !== "function") return { unexpected: name };
	return { class: name, ...getters(thing) };
}

function getters(thing) {
	const report = {};
	for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(thing))) {
		if (!/^get[A-Z]/.test(name) || thing[name].length > 0) continue;
		const value = valueOf(thing[name]());
		if (value !== undefined) report[snake(name.slice(3))] = value;
	}
	return report;
}

/** APIName is api_name, as in the Python SDKs. */
function snake(name) {
	return name
		.replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
		.replace(/([a-z0-9])([A-Z])/g, "$1_$2")
		.toLowerCase();
}

module.exports = { Driver };
