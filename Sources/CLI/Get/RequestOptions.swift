import ArgumentParser
import Codecs
import Daemon
import HTTPX
import NIOCore

/// What `hearth get` asks; a property for each option, as ArgumentParser wants.
struct RequestOptions: ParsableArguments {
  @Option(
    name: [.customShort("X"), .customLong("request")],
    help: ArgumentHelp("The method. Default: GET; POST with data or a form, PUT with -T.", valueName: "method"),
    completion: Completion.methods)
  var method: String?
  @Option(
    name: [.customShort("H"), .customLong("header")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("A header field; `Name:` leaves out a default one.", valueName: "name: value"))
  var headers: [String] = []
  @Option(
    name: [.customShort("d"), .customLong("data")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "The body; @FILE reads a file, @- standard input, without line breaks. Several are joined by &.",
      valueName: "data"),
    completion: .file())
  var data: [String] = []
  @Option(
    name: .customLong("data-binary"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("The same, byte for byte.", valueName: "data"), completion: .file())
  var binaryData: [String] = []
  @Option(
    name: .customLong("data-raw"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("The same, where @ is nothing special.", valueName: "data"))
  var rawData: [String] = []
  @Option(
    name: .customLong("data-urlencode"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("The same, percent-encoded: VALUE, NAME=VALUE, @FILE or NAME@FILE.", valueName: "data"))
  var encodedData: [String] = []
  @Flag(name: [.customShort("G"), .customLong("get")], help: "Put the data into the query of the address.")
  var get = false
  @Option(
    name: .customLong("json"), parsing: .unconditional,
    help: ArgumentHelp("The body, sent and asked for as application/json.", valueName: "data"))
  var json: String?
  @Option(
    name: [.customShort("F"), .customLong("form")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "A field of a form: NAME=VALUE, NAME=@FILE to upload one, NAME=<FILE for its text; ;type=… and ;filename=… behind.",
      valueName: "name=value"))
  var form: [String] = []
  @Option(
    name: [.customShort("T"), .customLong("upload-file")], parsing: .unconditional,
    help: ArgumentHelp(
      "Send a file as the body, - for standard input; below an address that ends in / under its own name.",
      valueName: "file"), completion: .file())
  var upload: String?
  @Option(
    name: [.customShort("r"), .customLong("range")], parsing: .unconditional,
    help: ArgumentHelp("Only these bytes: 0-499, 500-, -500.", valueName: "range"))
  var range: String?
  @Option(
    name: [.customShort("u"), .customLong("user")], parsing: .unconditional,
    help: ArgumentHelp(
      "For an app that wants Basic authentication; asks for the password where that is missing.",
      valueName: "user:password"))
  var user: String?
  @Option(
    name: [.customShort("b"), .customLong("cookie")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Cookies as NAME=VALUE; NAME=VALUE, or the file that has them.", valueName: "data or file"),
    completion: .file())
  var cookies: [String] = []
  @Flag(help: "Ask for a compressed body, and decompress it.")
  var compressed = false

  private var hasData: Bool { !data.isEmpty || !binaryData.isEmpty || !rawData.isEmpty || !encodedData.isEmpty }

  /// Throws `ValidationError` where options contradict each other.
  func check(isHead: Bool) throws {
    let bodies = [
      hasData && !get ? "-d" : nil, json != nil ? "--json" : nil, form.isEmpty ? nil : "-F", upload != nil ? "-T" : nil,
    ].compactMap { $0 }
    if bodies.count > 1 { throw ValidationError("there is one body: say either \(bodies.joined(separator: " or "))") }
    if isHead, let body = bodies.first {
      throw ValidationError("-I asks for a head only; it cannot be used with \(body)")
    }
    if get, !hasData { throw ValidationError("-G puts data into the query: say -d or --data-urlencode as well") }
  }

  /// Cookies that stand in files.
  var jar: CookieJar {
    get throws(CommandFailure) {
      var jar = CookieJar()
      for file in cookies where !file.contains("=") { try jar.read(file) }
      return jar
    }
  }

  /// - Parameter uri: where it goes.
  ///
  /// Throws `CommandFailure`.
  func request(to uri: HTTPXURI, wantsHead: Bool) async throws -> OutgoingRequest {
    var uri = uri
    let fields =
      try
      (data.map { try UploadBody.Source($0, isJoined: true) }
      + binaryData.map { try UploadBody.Source($0) }
      + rawData.map { .bytes(ByteBuffer(string: $0)) }
      + encodedData.map { .bytes(ByteBuffer(string: try FormText.encoded($0, isQuery: get))) })
    var content: (type: String?, body: UploadBody)?
    if get {
      uri = try await Self.adding(UploadBody(joining: fields), to: uri)
    } else if let json {
      content = ("application/json", UploadBody(joining: [try UploadBody.Source(json)]))
    } else if !form.isEmpty {
      let form = try MultipartForm(form)
      content = (form.type, UploadBody(form.sources))
    } else if let upload {
      content = (nil, UploadBody([try .file(upload)]))
      uri = Self.naming(upload, uri)
    } else if !fields.isEmpty {
      content = ("application/x-www-form-urlencoded", UploadBody(joining: fields))
    }
    let verb = wantsHead ? "HEAD" : upload != nil ? "PUT" : content == nil ? "GET" : "POST"
    return OutgoingRequest(
      uri: uri, method: method ?? verb, isMethodSaid: method != nil,
      defaults: try defaults(content?.type), fields: headers, body: content?.body)
  }

  private func defaults(_ type: String?) throws(CommandFailure) -> [String] {
    let typed = cookies.filter { $0.contains("=") }
    return [
      "User-Agent: hearth/\(Daemon.version)", "Accept: \(json == nil ? "*/*" : "application/json")",
      type.map { "Content-Type: \($0)" }, range.map { "Range: bytes=\($0)" },
      compressed ? "Accept-Encoding: gzip, deflate" : nil,
      try user.map(Self.authorization), typed.isEmpty ? nil : "Cookie: \(typed.joined(separator: "; "))",
    ].compactMap { $0 }
  }

  /// RFC 7617.
  private static func authorization(_ user: String) throws(CommandFailure) -> String {
    var credentials = user
    if !user.contains(":") {
      guard let password = Terminal.password("Password of \(Printable.clean(user)): ") else {
        throw CommandFailure(.usage, "there is no terminal to ask for the password at: say -u NAME:PASSWORD")
      }
      credentials += ":\(password)"
    }
    return "Authorization: Basic \(Base64.encode(Array(credentials.utf8)))"
  }

  private static func adding(_ body: UploadBody, to uri: HTTPXURI) async throws -> HTTPXURI {
    var query = ByteBuffer()
    for try await part in body {
      query.writeImmutableBuffer(part)
      guard query.readableBytes <= CLILimits.queryBytes else {
        throw CommandFailure(.usage, "that is too much for an address: leave out -G")
      }
    }
    let text = PercentEncoding.encode(query.readableBytesView, except: .visible)
    return HTTPXURI(
      jid: uri.jid, path: "\(uri.path)\(uri.path.contains("?") ? "&" : "?")\(text)", fragment: uri.fragment)
  }

  private static func naming(_ file: String, _ uri: HTTPXURI) -> HTTPXURI {
    guard uri.path.hasSuffix("/"), file != "-", let name = file.split(separator: "/").last else { return uri }
    return HTTPXURI(jid: uri.jid, path: uri.path + PercentEncoding.encode(name, except: .authority))
  }
}

/// A request before it is made, and again where the device leads elsewhere.
struct OutgoingRequest: Sendable {
  var uri: HTTPXURI
  var method: String
  /// By `-X`, which a redirect does not change.
  let isMethodSaid: Bool
  /// `Name: value`; those of the user replace them.
  var defaults: [String]
  var fields: [String]
  var body: UploadBody?
}
