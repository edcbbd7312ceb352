/**
 * What the images of the demo and of the Kubernetes documentation's examples need to hold, for machines on which no
 * registry answers: each stand-in is made of packages of the distribution and a few files of our own. Data only;
 * images.ts builds from it.
 */

export interface ImageRecipe {
  readonly name: string;
  /** The references that manifests name. */
  readonly references: readonly string[];
  /** Packages whose files are needed; with `files` empty only their static programs are. */
  readonly packages: readonly string[];
  /** Files to take from the packages, with the libraries they need; a folder is taken whole. */
  readonly files: readonly string[];
  /** Static busybox with all its applets, as a base of commands. */
  readonly busybox: boolean;
  /** Files of our own: path → text and mode. */
  readonly texts?: Readonly<Record<string, { readonly text: string; readonly mode?: number }>>;
  readonly folders?: readonly string[];
  /** Dockerfile instructions for the image's configuration. */
  readonly changes: readonly string[];
}

/** Rewrites the example's flags (`-cpus 2`, `-mem-total 150Mi`) into those of the packaged stress. */
const vishStress = `#!/bin/sh
cpus=0 memory=
while [ $# -gt 0 ]; do
  flag=\${1#-}; flag=\${flag#-}; shift
  case $flag in *=*) value=\${flag#*=} flag=\${flag%%=*} ;; logtostderr) continue ;; *) value=$1; shift ;; esac
  case $flag in cpus) cpus=$value ;; mem-total) memory=$value ;; esac
done
case $memory in
  '' | 0) bytes=0 ;;
  *Ki) bytes=$((\${memory%Ki} * 1024)) ;;
  *Mi) bytes=$((\${memory%Mi} * 1048576)) ;;
  *Gi) bytes=$((\${memory%Gi} * 1073741824)) ;;
  *k) bytes=$((\${memory%k} * 1000)) ;;
  *M) bytes=$((\${memory%M} * 1000000)) ;;
  *G) bytes=$((\${memory%G} * 1000000000)) ;;
  *) bytes=$memory ;;
esac
echo "Allocating \\"\${memory:-0}\\" memory, spawning $cpus threads to consume CPU" >&2
set --
[ "$cpus" -gt 0 ] && set -- "$@" --cpu "$cpus"
[ "$bytes" -gt 0 ] && set -- "$@" --vm 1 --vm-bytes "$bytes" --vm-hang 0
[ $# -gt 0 ] || exec sleep 2147483647
exec stress "$@"
`;

const nginxConf = `user www-data;
worker_processes 1;
error_log /dev/stderr notice;
pid /var/run/nginx.pid;
events { worker_connections 256; }
http {
  types { text/html html; text/plain txt; }
  access_log /dev/stdout;
  server {
    listen 80;
    location / { root /usr/share/nginx/html; index index.html; }
  }
}
`;

/** Answers GET / on a port with the lines that the hello-app example prints. */
const helloApp = `#!/bin/sh
echo "Server listening on port \${PORT:-8080}"
exec httpd -f -p "\${PORT:-8080}" -h /srv
`;
const helloAnswer = (version: string) => `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\nHello, world!\\nVersion: ${version}\\nHostname: %s\\n' "$(hostname)"
`;

/**
 * A small stand-in for the end-to-end tests' server: `liveness` is healthy for 10 s and answers 500 from then on,
 * `netexec` and `test-webserver` answer every request with 200, `pause` waits.
 */
const agnhost = `#!/bin/sh
trap 'exit 0' TERM INT
export MODE=\${1:-pause}
case $MODE in
  liveness | netexec) port=8080 ;;
  test-webserver) port=80 ;;
  pause) echo Paused; while :; do sleep 3600 & wait $!; done ;;
  *) echo "unknown mode $MODE" >&2; exit 1 ;;
esac
read -r uptime _ </proc/uptime
export STARTED=\${uptime%.*}
echo "listening on $port"
nc -ll -p "$port" -e /answer &
wait $!
`;

/** One request; only what the shell has built in, so that it answers at once on a busy machine too. */
const agnhostAnswer = `#!/bin/sh
while read -r line; do case $line in '' | "$(printf '\\r')") break ;; esac; done
read -r uptime _ </proc/uptime
age=$((\${uptime%.*} - STARTED))
status='200 OK' body=ok
if [ "$MODE" = liveness ] && [ "$age" -gt 10 ]; then status='500 Internal Server Error' body="error: $age"; fi
printf 'HTTP/1.1 %s\\r\\nContent-Length: %s\\r\\nConnection: close\\r\\n\\r\\n%s' "$status" "\${#body}" "$body"
`;

const pauseVersions = ['3.10', '3.10.1', '3.1', '3.6', '3.8', '3.9', 'latest'];

const recipes = {
  pause: {
    name: 'pause',
    references: pauseVersions.map(version => `registry.k8s.io/pause:${version}`),
    packages: [],
    files: [],
    busybox: false,
    changes: ['ENTRYPOINT ["/pause"]', 'USER 65535:65535'],
  },
  busybox: {
    name: 'busybox',
    references: [
      'busybox:latest',
      'busybox:1.28',
      'busybox:1.37',
      'registry.k8s.io/busybox:latest',
      'registry.k8s.io/busybox:1.27.2',
      'alpine:latest',
    ],
    packages: ['busybox-static'],
    files: [],
    busybox: true,
    changes: ['CMD ["sh"]'],
  },
  stress: {
    name: 'stress',
    references: ['polinux/stress:latest'],
    packages: ['busybox-static', 'stress'],
    files: ['usr/bin/stress'],
    busybox: true,
    changes: ['CMD ["stress", "--help"]'],
  },
  vishStress: {
    name: 'vish-stress',
    references: ['vish/stress:latest'],
    packages: ['busybox-static', 'stress'],
    files: ['usr/bin/stress'],
    busybox: true,
    texts: { stress: { text: vishStress, mode: 0o755 } },
    changes: ['ENTRYPOINT ["/stress"]'],
  },
  nginx: {
    name: 'nginx',
    references: ['nginx:latest', 'nginx:1.7.9', 'nginx:1.14.2', 'nginx:1.16.1', 'nginx:1.16-alpine'],
    packages: ['busybox-static', 'bash', 'nginx-light'],
    files: ['usr/sbin/nginx', 'bin/bash'],
    busybox: true,
    texts: {
      'etc/nginx/nginx.conf': { text: nginxConf },
      'usr/share/nginx/html/index.html': {
        text: '<html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1></body></html>\n',
      },
    },
    folders: ['var/log/nginx', 'var/lib/nginx'],
    changes: ['CMD ["nginx", "-g", "daemon off;"]', 'EXPOSE 80'],
  },
  bash: {
    name: 'bash',
    references: ['bash:latest', 'bash:5', 'debian:latest', 'ubuntu:latest', 'fedora:latest'],
    packages: ['busybox-static', 'bash'],
    files: ['bin/bash'],
    busybox: true,
    changes: ['CMD ["bash"]'],
  },
  redis: {
    name: 'redis',
    references: ['redis:latest', 'redis:5.0.4'],
    packages: ['busybox-static', 'redis-server', 'redis-tools'],
    files: ['usr/bin/redis-server', 'usr/bin/redis-cli'],
    busybox: true,
    folders: ['data'],
    changes: ['WORKDIR /data', 'CMD ["redis-server", "--protected-mode", "no"]', 'EXPOSE 6379'],
  },
  helloApp: {
    name: 'hello-app-2',
    references: ['gcr.io/google-samples/hello-app:2.0'],
    packages: ['busybox-static'],
    files: [],
    busybox: true,
    texts: {
      'hello-app': { text: helloApp, mode: 0o755 },
      'srv/cgi-bin/index.cgi': { text: helloAnswer('2.0.0'), mode: 0o755 },
    },
    changes: ['ENTRYPOINT ["/hello-app"]', 'EXPOSE 8080'],
  },
  agnhost: {
    name: 'agnhost',
    references: ['2.39', '2.40', '2.45', '2.52', '2.53'].map(tag => `registry.k8s.io/e2e-test-images/agnhost:${tag}`),
    packages: ['busybox-static'],
    files: [],
    busybox: true,
    texts: { agnhost: { text: agnhost, mode: 0o755 }, answer: { text: agnhostAnswer, mode: 0o755 } },
    changes: ['ENTRYPOINT ["/agnhost"]', 'CMD ["pause"]'],
  },
} satisfies Record<string, ImageRecipe>;

/** The sets that commands ask for; `demo` is part of `docs`. */
export const imageSets: Readonly<Record<'demo' | 'docs', readonly ImageRecipe[]>> = {
  demo: [recipes.pause, recipes.busybox, recipes.stress, recipes.nginx],
  docs: Object.values(recipes),
};
