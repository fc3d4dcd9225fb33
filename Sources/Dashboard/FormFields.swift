import Codecs
import FoundationEssentials
import HTTPEdge
import HTTPTypes
import NIOCore

/// What a form of a page of ours sends (`application/x-www-form-urlencoded`, WHATWG URL §5).
package struct FormFields: Sendable, Hashable {
  private let values: [String: String]

  /// Of fields with the same name the last one counts; what cannot be read is left out.
  package init(_ text: String) {
    let pairs = text.split(separator: "&").compactMap { pair -> (String, String)? in
      let name = pair.prefix { $0 != "=" }
      guard let decodedName = Self.decoded(name), let value = Self.decoded(pair.dropFirst(name.count + 1)) else {
        return nil
      }
      return (decodedName, value)
    }
    values = Dictionary(pairs) { $1 }
  }

  /// Without spaces around it; nil where it is empty or missing.
  package subscript(_ name: String) -> String? {
    let value = values[name]?.split(separator: " ").joined(separator: " ")
    return value?.isEmpty == false ? value : nil
  }

  private static func decoded(_ text: Substring) -> String? {
    PercentEncoding.decodeText(String(text).replacing("+", with: " "))
  }

  /// Throws `Problem` where the body is no form of ours.
  static func read(from request: Request) async throws(Problem) -> FormFields {
    let type = request.headers[.contentType]?.prefix { $0 != ";" && $0 != " " }.lowercased()
    guard type == "application/x-www-form-urlencoded" else {
      throw Problem(
        .unsupportedMediaType, error: "http_request_error", title: "Not a form",
        message: "This takes what the forms of its own pages send.")
    }
    do {
      return FormFields(String(buffer: try await request.body.collect(upTo: DashboardLimits.formBytes)))
    } catch is NIOTooManyBytesError {
      throw Problem(
        .contentTooLarge, error: "http_request_error", title: "Too much",
        message: "A form has at most \(DashboardLimits.formBytes) bytes.")
    } catch {
      throw .badRequest("The form broke off.")
    }
  }
}
