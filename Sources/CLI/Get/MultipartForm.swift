/// The fields of a form as `multipart/form-data` (RFC 7578), from curl's `-F`.
struct MultipartForm {
  let sources: [UploadBody.Source]
  private let boundary: String

  var type: String { "multipart/form-data; boundary=\(boundary)" }

  /// `NAME=VALUE`, `NAME=@FILE`, `NAME=<FILE`, with `;type=…` and `;filename=…` behind. Throws `CommandFailure`.
  init(_ fields: [String], boundary: String? = nil) throws(CommandFailure) {
    let boundary = boundary ?? "----------------\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    self.boundary = boundary
    var sources: [UploadBody.Source] = []
    for text in fields {
      let field = try Field(text)
      sources += [.text("--\(boundary)\r\n\(field.head)\r\n\r\n"), try field.source, .text("\r\n")]
    }
    self.sources = sources + [.text("--\(boundary)--\r\n")]
  }

  private struct Field {
    let name: String
    /// Behind `@` or `<`, without parameters; else the value as it is.
    let value: String
    let mark: Character?
    var type: String?
    var filename: String?

    init(_ text: String) throws(CommandFailure) {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw CommandFailure(.usage, "“\(text)” is no field of a form: write -F name=value, or name=@file")
      }
      name = String(text[..<equals])
      var parts = text[text.index(after: equals)...].split(separator: ";", omittingEmptySubsequences: false)
      mark = parts[0].first.flatMap { "@<".contains($0) ? $0 : nil }
      // Only what is known is a parameter: a value may have semicolons.
      while parts.count > 1, let last = parts.last?.drop(while: { $0 == " " }) {
        if last.hasPrefix("type=") {
          type = String(last.dropFirst(5))
        } else if last.hasPrefix("filename=") {
          filename = String(last.dropFirst(9))
        } else {
          break
        }
        parts.removeLast()
      }
      let value = parts.joined(separator: ";")
      self.value = mark == nil ? value : String(value.dropFirst())
    }

    var source: UploadBody.Source {
      get throws(CommandFailure) { mark == nil ? .text(value) : try UploadBody.Source("@\(value)") }
    }

    var head: String {
      let file = filename ?? (mark == "@" ? value.split(separator: "/").last.map(String.init) : nil)
      let type = type ?? (mark == "@" ? "application/octet-stream" : nil)
      return "Content-Disposition: form-data; name=\"\(Self.quoted(name))\""
        + (file.map { "; filename=\"\(Self.quoted($0))\"" } ?? "") + (type.map { "\r\nContent-Type: \($0)" } ?? "")
    }

    /// As browsers write it (WHATWG HTML §4.10.21.8).
    private static func quoted(_ text: String) -> String {
      text.replacing("\"", with: "%22").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }
  }
}
