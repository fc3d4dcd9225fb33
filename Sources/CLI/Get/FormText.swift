import Codecs
import Daemon

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// `--data-urlencode` of curl: a value, or a name and a value, percent-encoded but for the name.
enum FormText {
  /// `VALUE`, `=VALUE`, `NAME=VALUE`, `@FILE`, `NAME@FILE`. Throws `CommandFailure` where a file cannot be read.
  ///
  /// - Parameter isQuery: whether it goes into a query, where a space is `%20`, and not into a form, where it is `+`.
  static func encoded(_ text: String, isQuery: Bool) throws(CommandFailure) -> String {
    func encode(_ bytes: some Collection<UInt8>) -> String {
      let value = PercentEncoding.encode(bytes, except: .unreserved)
      return isQuery ? value : value.replacing("%20", with: "+")
    }
    guard let mark = text.firstIndex(where: { $0 == "=" || $0 == "@" }) else { return encode(text.utf8) }
    let (name, rest) = (text[..<mark], String(text[text.index(after: mark)...]))
    let value = text[mark] == "=" ? encode(rest.utf8) : encode(try InputFile.bytes(of: rest))
    return name.isEmpty ? value : "\(name)=\(value)"
  }
}

/// Small files that are read whole.
enum InputFile {
  /// `-` is standard input. Throws `CommandFailure` with the status for it.
  static func bytes(of path: String) throws(CommandFailure) -> [UInt8] {
    do {
      guard
        let bytes = try FileBytes.contents(
          of: path == "-" ? "/dev/stdin" : path, limit: CLILimits.formFile, mayWait: true)
      else { throw SystemError("read", path, code: ENOENT) }
      return bytes
    } catch {
      throw CommandFailure(.readError, "\(error)")
    }
  }
}
