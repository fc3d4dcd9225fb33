import ArgumentParser
import Control
import NIOPosix

/// Names for the shell: asks the daemon, and gives up rather than make anyone wait.
enum Completion {
  static var devices: CompletionKind {
    kind { client, prefix in names(try await client.devices(), prefix: prefix) }
  }
  static var friends: CompletionKind {
    kind { client, _ in try await client.friends().friends.map(\.petname) }
  }
  /// Friends, and strangers by their devices.
  static var nodes: CompletionKind {
    kind { client, _ in
      let strangers = try await client.devices().filter { $0.trust == "stranger" }
      return try await client.friends().friends.map(\.petname) + strangers.map(\.jid)
    }
  }
  static var blocked: CompletionKind {
    kind { client, _ in try await client.friends().blocked.map { $0.petname ?? $0.short } }
  }
  static var services: CompletionKind {
    kind { client, _ in try await client.status().services.map(\.name) }
  }
  /// By their whole ids, as accepting wants them.
  static var requestIDs: CompletionKind {
    kind { client, _ in
      let list = try await client.requests()
      return list.requests.map(\.id) + list.contacts
    }
  }
  static var requests: CompletionKind {
    kind { client, _ in
      let list = try await client.requests()
      return list.requests.map { $0.jid ?? $0.short } + list.contacts
    }
  }
  static var asked: CompletionKind {
    kind { client, _ in try await client.requests().asked.map { $0.jid ?? $0.short } }
  }
  static var ports: CompletionKind {
    kind { client, _ in try await client.forwards().forwards.filter { !$0.configured }.map { "\($0.port)" } }
  }
  static var access: CompletionKind {
    kind { client, prefix in access(try await client.friends().friends.map(\.petname), prefix: prefix) }
  }
  static var methods: CompletionKind { .list(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"]) }

  private static func kind(
    _ names: @escaping @Sendable (_ client: ControlClient, _ prefix: String) async throws -> [String]
  ) -> CompletionKind {
    .custom { (words: [String], _: Int, prefix: String) async -> [String] in
      let socket = Places.current.clientSocket(option("--socket", in: words))
      let client = ControlClient(socket: socket, eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
      let found = await Deadline.run(CLILimits.completion) { try await names(client, prefix) } ?? []
      // zsh takes what is behind a colon for a description.
      return CompletionShell.requesting == .zsh
        ? found.map { $0.split(separator: ":", omittingEmptySubsequences: false).joined(separator: "\\:") } : found
    }
  }

  /// Whole URIs where one was begun, else the short form.
  static func names(_ devices: [DeviceResource], prefix: String) -> [String] {
    let isURI = prefix.hasPrefix("httpx:")
    return devices.filter { $0.http != false }.map { isURI ? "httpx://\($0.jid)/" : $0.jid }
  }

  /// A word, or names with commas between: what stands before the last comma stays.
  static func access(_ friends: [String], prefix: String) -> [String] {
    guard let comma = prefix.lastIndex(of: ",") else { return ["friends", "public"] + friends }
    let said = prefix[...comma]
    let named = Set(said.split(separator: ",").map(String.init))
    return friends.filter { !named.contains($0) }.map { said + $0 }
  }

  private static func option(_ name: String, in words: [String]) -> String? {
    words.firstIndex(of: name).flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
  }
}

/// The parser's scripts, with what they lack for some shells.
enum CompletionScript {
  /// nil where the command line asks for something else, or for one that needs nothing besides.
  static func script(for arguments: [String]) -> String? {
    switch arguments {
    case ["--generate-completion-script", "bash"]: Hearth.completionScript(for: .bash) + "\n" + wholeWords
    case ["--generate-completion-script", "fish"]: fish
    default: nil
    }
  }

  /// Where the cursor is in its word, fish before 4 does not tell together with the words: it is taken to be at the end.
  private static var fish: String {
    Hearth.completionScript(for: .fish).split(separator: "(__hearth_tokens -tC)", omittingEmptySubsequences: false)
      .joined(separator: #"(string length -- "$(commandline -t)")"#)
  }

  /// bash breaks words at `@`, `:` and `=`, which addresses and URIs have inside.
  private static let wholeWords = #"""
    # Words as they were typed, for the above; and of what it finds only what is behind the part that bash takes for whole.
    _hearth_whole_words() {
        local -a words=()
        local rest="${COMP_LINE}" word space
        local -i index place=0
        for index in "${!COMP_WORDS[@]}"; do
            word="${COMP_WORDS[index]}"
            space="${rest%%[![:space:]]*}"
            rest="${rest#"${space}"}"
            rest="${rest#"${word}"}"
            if [[ ${#words[@]} -gt 0 && -z ${space} && -n ${word} ]]; then
                words[${#words[@]} - 1]+="${word}"
            else
                words+=("${word}")
            fi
            ((index == COMP_CWORD)) && place=$((${#words[@]} - 1))
        done
        local -a COMP_WORDS=("${words[@]}")
        local -i COMP_CWORD=place
        local current="${words[place]}"
        local typed="${COMP_LINE:0:COMP_POINT}"
        typed="${typed##*[[:space:]]}"
        [[ ${current} == "${typed}"* ]] && current="${typed}"
        _hearth "${1}" "${current}" "${words[place > 0 ? place - 1 : 0]}"
        local whole="${current%"${current##*[@:=]}"}"
        [[ -z ${whole} ]] || COMPREPLY=("${COMPREPLY[@]#"${whole}"}")
    }

    complete -o filenames -F _hearth_whole_words hearth
    """#
}

/// Work that is only worth a certain time.
enum Deadline {
  /// nil where it throws or takes longer; it is cancelled then, and waited for.
  static func run<Value: Sendable>(
    _ limit: Duration, _ work: @escaping @Sendable () async throws -> Value
  ) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
      group.addTask { try? await work() }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }
}
