import { describe, expect, test } from 'vitest';
import { parseAptSources } from '#setup/apt.ts';
import { engineAddresses } from '#setup/engine.ts';
import { engineAt, engineMessage } from '#setup/engine-api.ts';
import { imageSets } from '#setup/image-recipes.ts';
import { registryOf, standInName } from '#setup/images.ts';
import { debianMirror, kubectlMinor } from '#setup/kubectl.ts';

describe('where an engine may answer', () => {
  test('DOCKER_HOST alone counts when it is set', () => {
    expect(engineAddresses({ DOCKER_HOST: 'tcp://10.0.0.1:2375', HOME: '/home/u' }, 1000)).toEqual([
      'tcp://10.0.0.1:2375',
    ]);
  });

  test('else the usual socket comes before those of a rootless engine', () => {
    expect(engineAddresses({ HOME: '/home/u', XDG_RUNTIME_DIR: '/run/user/1000' }, 1000)).toEqual([
      'unix:///var/run/docker.sock',
      'unix:///run/user/1000/docker.sock',
      'unix:///home/u/.docker/run/docker.sock',
    ]);
  });

  test('an address that cannot be spoken is refused in words that name it', () => {
    expect(() => engineAt('ssh://box')).toThrow('DOCKER_HOST=ssh://box: Berth speaks to unix:// and tcp:// engines');
  });

  test('an error of the engine is its message, or its text where it is no JSON', () => {
    expect(engineMessage({ status: 404, text: '{"message":"No such image: x"}' })).toBe('No such image: x');
    expect(engineMessage({ status: 502, text: 'Bad Gateway\n' })).toBe('Bad Gateway');
  });
});

describe('apt sources', () => {
  const deb822 = `Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://src.example/debian
Suites: bookworm
`;

  test('are read in the one-line form and as deb822 stanzas', () => {
    expect(parseAptSources(deb822)).toEqual([
      {
        uri: 'http://mirror.example/debian',
        suites: ['bookworm', 'bookworm-updates'],
        signedBy: '/usr/share/keyrings/debian-archive-keyring.gpg',
      },
    ]);
    expect(
      parseAptSources('deb [arch=amd64 signed-by=/k.gpg] https://a.example/ubuntu noble main\n# deb http://b x y\n'),
    ).toEqual([{ uri: 'https://a.example/ubuntu', suites: ['noble'], signedBy: '/k.gpg' }]);
  });

  test('name the Debian mirror, not the security archive nor a foreign one', () => {
    const text = `deb http://pkgs.example/apt cloud main\ndeb http://m.example/debian-security bookworm-security main\n\n${deb822}`;
    expect(debianMirror(parseAptSources(text))?.uri).toBe('http://mirror.example/debian');
    expect(debianMirror(parseAptSources('deb http://m.example/ubuntu noble main'))).toBeUndefined();
  });
});

test('the minor version of kubectl is read from its JSON, with or without a plus', () => {
  expect(kubectlMinor('{"clientVersion":{"major":"1","minor":"32"}}')).toBe(32);
  expect(kubectlMinor('{"clientVersion":{"minor": "33+"}}')).toBe(33);
  expect(kubectlMinor('not json')).toBeUndefined();
});

describe('images', () => {
  test('the registry of a reference is its first part where that looks like a host', () => {
    expect(
      ['nginx:latest', 'polinux/stress:latest', 'registry.k8s.io/pause:3.8', 'localhost/x:1'].map(registryOf),
    ).toEqual(['', '', 'registry.k8s.io', 'localhost']);
  });

  test('no reference is promised by two recipes, and every one has a tag', () => {
    const references = imageSets.docs.flatMap(recipe => recipe.references);
    expect(new Set(references).size).toBe(references.length);
    for (const reference of references) expect(reference).toMatch(/:[\w.-]+$/);
  });

  test('the demo needs no image that the documentation set lacks', () => {
    for (const recipe of imageSets.demo) expect(imageSets.docs).toContain(recipe);
  });

  test('another content is another stand-in, another list of names is not', () => {
    const recipe = imageSets.demo[1]!;
    expect(standInName({ ...recipe, changes: ['CMD ["ash"]'] })).not.toBe(standInName(recipe));
    expect(standInName({ ...recipe, references: ['a:1'] })).toBe(standInName(recipe));
  });
});
