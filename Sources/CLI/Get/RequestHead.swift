import HTTPTypes
import HTTPX

/// The head of a request as `hearth get` sends it: curl's defaults, then what the user says.
enum RequestHead {
  /// Throws `CommandFailure` where the method or a field is none.
  static func make(_ request: OutgoingRequest) throws(CommandFailure) -> HTTPRequest {
    guard let method = HTTPRequest.Method(request.method) else {
      throw CommandFailure(.usage, "“\(request.method)” is no HTTP method")
    }
    // The target is in absolute form; a fragment is never sent.
    let target = HTTPXURI(jid: request.uri.jid, path: request.uri.path)
    var head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: "\(target)")
    for text in request.defaults {
      let (name, value) = try field(text)
      head.headerFields[name] = value
    }
    var replaced: Set<HTTPField.Name> = []
    for text in request.fields {
      let (name, value) = try field(text)
      if replaced.insert(name).inserted { head.headerFields[name] = nil }
      if let value { head.headerFields.append(HTTPField(name: name, value: value)) }
    }
    return head
  }

  /// `Name: value`; `Name;` for an empty value, `Name:` for none at all, as with curl.
  private static func field(_ text: String) throws(CommandFailure) -> (HTTPField.Name, String?) {
    if !text.contains(":"), text.last == ";", let name = HTTPField.Name(String(text.dropLast())) { return (name, "") }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    var value = parts.count == 2 ? parts[1].drop { $0 == " " || $0 == "\t" } : ""
    while value.last == " " || value.last == "\t" { value.removeLast() }
    guard parts.count == 2, let name = HTTPField.Name(String(parts[0])), HTTPField.isValidValue(String(value)) else {
      throw CommandFailure(.usage, "“\(text)” is no header field: write -H 'Name: value'")
    }
    return (name, value.isEmpty ? nil : String(value))
  }
}
