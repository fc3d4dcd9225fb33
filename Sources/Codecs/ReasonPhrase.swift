package import HTTPTypes

/// What stands behind the code of a status, for people and for nothing else (RFC 9112 §4).
package enum ReasonPhrase {
  /// Bytes of one that is passed on: nobody reads longer ones.
  package static let maximumLength = 256

  /// Visible characters, spaces and tabs of ASCII, and bytes beyond (RFC 9112 §4); not empty.
  static func isFit(_ phrase: String) -> Bool {
    phrase.utf8.count <= maximumLength && phrase.utf8.contains { !$0.isOptionalSpace }
      && phrase.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
  }

  /// The phrase that is registered for a code (RFC 9110 §15, and IANA's registry of status codes); empty where there is none.
  package static func standard(_ code: Int) -> String {
    switch code {
    case 100: "Continue"
    case 101: "Switching Protocols"
    case 102: "Processing"
    case 103: "Early Hints"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 203: "Non-Authoritative Information"
    case 204: "No Content"
    case 205: "Reset Content"
    case 206: "Partial Content"
    case 207: "Multi-Status"
    case 208: "Already Reported"
    case 226: "IM Used"
    case 300: "Multiple Choices"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 303: "See Other"
    case 304: "Not Modified"
    case 305: "Use Proxy"
    case 307: "Temporary Redirect"
    case 308: "Permanent Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 402: "Payment Required"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 407: "Proxy Authentication Required"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 411: "Length Required"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 416: "Range Not Satisfiable"
    case 417: "Expectation Failed"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 423: "Locked"
    case 424: "Failed Dependency"
    case 425: "Too Early"
    case 426: "Upgrade Required"
    case 428: "Precondition Required"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 451: "Unavailable For Legal Reasons"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    case 506: "Variant Also Negotiates"
    case 507: "Insufficient Storage"
    case 508: "Loop Detected"
    case 511: "Network Authentication Required"
    default: ""
    }
  }
}

extension HTTPResponse.Status {
  /// With the phrase that the other side gave, or the standard one where it gave none that can be passed on.
  ///
  /// - Parameter code: within 0 and 999.
  package init(code: Int, said phrase: String?) {
    let phrase = phrase.flatMap { ReasonPhrase.isFit($0) ? $0 : nil }
    self.init(code: code, reasonPhrase: phrase ?? ReasonPhrase.standard(code))
  }

  /// Its phrase, or the standard one where it has none.
  package var phrase: String { reasonPhrase.isEmpty ? ReasonPhrase.standard(code) : reasonPhrase }

  /// Its phrase where it says more than its code does.
  package var ownPhrase: String? { phrase == ReasonPhrase.standard(code) ? nil : phrase }
}
