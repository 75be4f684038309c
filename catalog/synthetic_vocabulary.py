"""The phrases of the synthetic listings, in French, English and German: data only.

The phrases are sorted by how often they are drawn. Brands, book titles and game titles are made of syllables. Nothing
is taken from a real catalogue.
"""

from collections.abc import Mapping

Stock = Mapping[str, tuple[str, ...]]  # language: phrases, the most frequent first


def _phrases(text: str) -> tuple[str, ...]:
    """Return the phrases of a text, which are separated by bars."""
    return tuple(" ".join(phrase.split()) for phrase in text.split("|"))


def _stock(fr: str, en: str, de: str) -> Stock:
    """Return the phrases of each language."""
    return {"fr": _phrases(fr), "en": _phrases(en), "de": _phrases(de)}


def _lines(text: str) -> tuple[str, ...]:
    """Return the lines of an indented text: each is a pattern."""
    return tuple(line.strip() for line in text.strip().splitlines())


# The products of each type, in words that hardly any other type uses.
ITEMS: Mapping[int, Stock] = {
    10: _stock(
        fr="""
            livre d'occasion | roman broché occasion | ouvrage ancien | livre de poche usagé | exemplaire jauni |
            reliure usée | vieux manuel scolaire | essai philosophique annoté | récit de voyage ancien |
            dictionnaire usagé | livre ex-bibliothèque | livre ancien dédicacé | édition originale brochée |
            roman policier déjà lu | livre relié d'époque""",
        en="""
            used paperback | second-hand hardcover | former library copy | worn dust jacket | old textbook |
            annotated novel | vintage hardback | pre-read thriller | secondhand book""",
        de="""
            gebrauchtes Taschenbuch | antiquarisches Buch | altes Lehrbuch | gelesener Roman |
            Bibliotheksexemplar | antike Ausgabe | gelesenes Buch | gebrauchter Krimi""",
    ),
    2705: _stock(
        fr="""
            livre neuf | roman nouveauté | parution récente | livre jeunesse neuf | beau livre illustré |
            guide pratique neuf | manuel universitaire | recueil de nouvelles | livre de cuisine | atlas illustré |
            biographie inédite | roman à paraître | livre d'art neuf | livre de recettes | guide de voyage récent""",
        en="""
            brand new paperback | new release novel | illustrated guide | cookbook | new hardcover | study guide |
            newly published essay | brand new travel guide | recipe book""",
        de="""
            neues Buch | Neuerscheinung | Bildband | Ratgeber neu | Kochbuch | Fachbuch neu | neuer Roman |
            Reiseführer neu | Erstausgabe neu""",
    ),
    2403: _stock(
        fr="""
            collection complète de volumes | lot de livres | série de mangas | bandes dessinées intégrale |
            lot de romans | coffret de livres | collection reliée | lot de magazines anciens |
            encyclopédie en volumes | tomes assortis | lot de bandes dessinées | intégrale en dix volumes |
            suite de romans jeunesse | lot de revues reliées""",
        en="""
            book lot | complete book series | manga set | collection of volumes | encyclopedia set |
            bundle of magazines | lot of comics | box set of volumes | job lot of books""",
        de="""
            Büchersammlung | Bücherpaket | Manga Reihe | Lexikon in Bänden | Konvolut Hefte | Bücher Konvolut |
            Gesamtausgabe in Bänden | Comic Paket""",
    ),
    2280: _stock(
        fr="""
            magazine hebdomadaire | journal ancien | revue mensuelle | numéro hors-série | comics fascicule |
            gazette illustrée | supplément du dimanche | revue technique | quotidien d'époque | fanzine |
            bulletin trimestriel | magazine de mode | journal du jour de naissance | revue automobile |
            hebdomadaire illustré""",
        en="""
            weekly magazine | newspaper issue | monthly review | comic issue | vintage gazette |
            quarterly journal | fashion magazine | sunday paper | motoring monthly""",
        de="""
            Wochenzeitschrift | alte Zeitung | Monatsheft | Comicheft | Sonderheft | Illustrierte |
            Modezeitschrift | Tageszeitung | Autozeitschrift""",
    ),
    40: _stock(
        fr="""
            jeu vidéo d'occasion | cartouche rétro | jeu import japonais | jeu sans notice | disque rayé testé |
            jeu rétro loose | jeu complet d'occasion | cartouche testée | jeu import usagé |
            jeu de plateforme d'occasion | jeu de course rétro | jeu en boîte usagé | jeu console import""",
        en="""
            used video game | retro cartridge | game without manual | import game | tested game disc |
            loose cartridge | pre-owned game | retro platform game | boxed game complete""",
        de="""
            gebrauchtes Videospiel | Retro Modul | Spiel ohne Anleitung | Importspiel | getestete Spiel-Disc |
            gebrauchtes Spiel OVP | Retro Spiel | Spielmodul lose""",
    ),
    50: _stock(
        fr="""
            manette sans fil | câble de recharge console | housse pour console | casque gaming |
            support de manette | chargeur de manette | volant de course | carte mémoire console |
            grip en silicone | adaptateur secteur console | joystick | station de recharge | coque pour console |
            micro casque filaire | protection écran console""",
        en="""
            wireless controller | charging dock | console carrying case | gaming headset | thumb grips |
            racing wheel | memory card | controller skin | console stand | charging cable""",
        de="""
            kabelloser Controller | Ladestation | Konsolentasche | Gaming-Headset | Lenkrad | Speicherkarte |
            Netzteil Konsole | Controller Hülle | Ladekabel | Standfuß Konsole""",
    ),
    60: _stock(
        fr="""
            console neuve | console de salon | console portable | pack console édition limitée |
            console rétro mini | console avec deux manettes | bundle console | console dernière génération |
            console 1 To | console hybride | console sous garantie constructeur""",
        en="""
            new console | home console bundle | handheld console | limited edition console | mini retro console |
            next-gen console | sealed console | hybrid console""",
        de="""
            neue Spielkonsole | Heimkonsole Bundle | Handheld Konsole | Konsole Sonderedition | Mini-Konsole |
            Konsole neuester Generation | versiegelte Konsole | Hybridkonsole""",
    ),
    2462: _stock(
        fr="""
            lot de jeux et accessoires | console d'occasion avec jeux | manette d'occasion |
            lot de manettes usagées | console usagée testée | pack jeux occasion |
            accessoire console reconditionné | lot console et manettes | console reconditionnée complète |
            lot de cartouches et câbles | ensemble rétro usagé""",
        en="""
            used console with games | second-hand controller | bundle of used games |
            refurbished console accessory | used console bundle | job lot of controllers | refurbished console set""",
        de="""
            gebrauchte Konsole mit Spielen | gebrauchter Controller | Spielepaket gebraucht |
            Zubehör generalüberholt | Konsolenpaket gebraucht | Konvolut Controller | Konsole mit Zubehör gebraucht""",
    ),
    2905: _stock(
        fr="""
            jeu pc à télécharger | clé d'activation | code de téléchargement | extension jeu pc |
            jeu pc dématérialisé | abonnement en ligne | logiciel de jeu windows | contenu additionnel |
            jeu de stratégie pc | clé numérique pc | édition numérique deluxe | pack de contenu pc""",
        en="""
            pc game download | activation key | digital code | expansion pack pc | online game card |
            windows game | pc game key card | digital deluxe edition | pc strategy game""",
        de="""
            PC Spiel Download | Aktivierungsschlüssel | Download Code | PC Erweiterung | Windows Spiel |
            PC Strategiespiel | digitaler Schlüssel | Digitale Edition""",
    ),
    1140: _stock(
        fr="""
            figurine articulée | statuette en résine | figurine de collection | buste de héros | figurine vinyle |
            personnage manga pvc | porte-clés figurine | diorama | figurine d'action | réplique de dragon |
            statue de collection | figurine chibi | réplique de casque | figurine géante""",
        en="""
            action figure | resin statue | collectible vinyl figure | hero bust | articulated figure |
            pvc character | collector statue | chibi figure | helmet replica""",
        de="""
            Actionfigur | Sammelfigur | Statue aus Resin | Vinylfigur | Büste | bewegliche Figur | Sammlerstatue |
            Chibi Figur | Helm Nachbildung""",
    ),
    1160: _stock(
        fr="""
            carte à collectionner | booster de cartes | carte rare holographique | deck de démarrage | carte foil |
            display de boosters | classeur de cartes | carte commune | extension de cartes | carte brillante |
            carte ultra rare | carte promo | boîte de boosters | protège-cartes""",
        en="""
            trading card | booster pack | holo rare card | starter deck | foil card | card binder | common card |
            ultra rare card | promo card | card sleeves""",
        de="""
            Sammelkarte | Booster Pack | Holo Karte selten | Starterdeck | Kartenalbum | Display Booster |
            Promokarte | Ultra Rare Karte | Kartenhüllen""",
    ),
    1180: _stock(
        fr="""
            figurine de jeu de rôle | livre de règles | dés polyédriques | figurine métal à peindre |
            écran du maître | scénario de campagne | armée de miniatures | plateau de bataille |
            costume de carnaval | déguisement adulte | livre du joueur | socle pour miniature | faction complète |
            accessoire de carnaval""",
        en="""
            role-playing miniature | rulebook | polyhedral dice | unpainted miniature | game master screen |
            fantasy army | player's handbook | miniature base | carnival costume""",
        de="""
            Rollenspiel Miniatur | Regelwerk | Würfelset | unbemalte Miniatur | Spielleiterschirm | Fantasy Armee |
            Spielerhandbuch | Kostüm Karneval | Miniaturbasis""",
    ),
    1280: _stock(
        fr="""
            peluche douce | jouet en bois | poupée mannequin | blocs de construction | dînette enfant |
            jouet d'éveil | ours en peluche | robot jouet | pistolet à eau | pâte à modeler | maison de poupée |
            jouet musical | doudou lapin | camion de pompiers jouet | tapis de jeu | figurine animal de la ferme""",
        en="""
            plush toy | wooden toy | fashion doll | building blocks | toy kitchen | teddy bear | toy robot |
            play dough | soft bunny | toy fire truck | play mat""",
        de="""
            Plüschtier | Holzspielzeug | Puppe | Bausteine | Spielküche | Teddybär | Spielzeugroboter | Knete |
            Kuscheltier | Feuerwehrauto Spielzeug | Spielmatte""",
    ),
    1281: _stock(
        fr="""
            jeu de société | jeu de plateau | puzzle mille pièces | jeu d'ambiance | jeu de stratégie |
            jeu de questions | jeu coopératif | loto des animaux | jeu de mémoire | jeu d'échecs | dominos |
            jeu de cartes familial | casse-tête | jeu d'enquête | puzzle 1000 pièces""",
        en="""
            board game | jigsaw puzzle | party game | strategy game | quiz game | memory game | chess set |
            dominoes | family card game | brain teaser | escape game""",
        de="""
            Brettspiel | Gesellschaftsspiel | Puzzle | Strategiespiel | Quizspiel | Schachspiel | Memospiel |
            Kartenspiel Familie | Knobelspiel | Krimispiel""",
    ),
    1300: _stock(
        fr="""
            voiture miniature | drone quadricoptère | voiture radiocommandée | maquette d'avion |
            hélicoptère télécommandé | train électrique | pièce détachée drone | batterie lipo |
            circuit de course | modèle réduit camion | hélice de rechange | drone avec caméra |
            buggy radiocommandé | locomotive miniature | chargeur lipo""",
        en="""
            diecast car | rc drone | remote control car | model aircraft kit | rc helicopter | model train |
            lipo battery | propeller | camera drone | rc buggy | model locomotive""",
        de="""
            Modellauto | Drohne | ferngesteuertes Auto | Flugzeugmodell | Modelleisenbahn | Lipo Akku |
            Ersatzpropeller | Kameradrohne | RC Buggy | Lokomotive Modell""",
    ),
    1301: _stock(
        fr="""
            baby-foot | jeu de fléchettes | chaussettes enfant | table de ping-pong | billard | boules de flipper |
            fléchette acier | balles de baby-foot | queue de billard | jeu de palets | cible électronique |
            mini billard | raquette de ping-pong | jeu de quilles d'intérieur""",
        en="""
            table football | dartboard | ping pong table | pool cue | steel darts | foosball balls | arcade game |
            electronic dartboard | table tennis bat | mini billiards""",
        de="""
            Tischfußball | Dartscheibe | Tischtennisplatte | Billardqueue | Dartpfeile | Kickerbälle |
            elektronische Dartscheibe | Tischtennisschläger | Minibillard""",
    ),
    1302: _stock(
        fr="""
            trampoline de jardin | trottinette enfant | balançoire | toboggan | cerf-volant | tricycle |
            ballon de plage | tente de jeu | canne à pêche | patins à roulettes | aire de jeux | bac à sable |
            moulinet de pêche | draisienne | portique de jeux | pistolet à bulles""",
        en="""
            garden trampoline | kids scooter | swing set | slide | kite | tricycle | play tent | roller skates |
            sandbox | fishing reel | balance bike | bubble gun""",
        de="""
            Gartentrampolin | Kinderroller | Schaukel | Rutsche | Drachen | Dreirad | Spielzelt | Rollschuhe |
            Sandkasten | Angelrolle | Laufrad | Seifenblasenpistole""",
    ),
    1320: _stock(
        fr="""
            poussette bébé | tapis d'éveil | lit parapluie | couches lavables | biberon anti-colique |
            chaise haute | tétine | sac à langer | écharpe de portage | turbulette | siège auto | veilleuse bébé |
            gigoteuse | table à langer | matelas à langer | transat bébé | chauffe-biberon""",
        en="""
            baby stroller | changing bag | baby bottle | high chair | pacifier | sleeping bag baby | car seat |
            night light baby | changing mat | baby bouncer | bottle warmer""",
        de="""
            Kinderwagen | Wickeltasche | Babyflasche | Hochstuhl | Schnuller | Babyschlafsack | Autositz |
            Windeln | Wickelauflage | Babywippe | Flaschenwärmer""",
    ),
    1560: _stock(
        fr="""
            canapé d'angle | table basse | matelas mémoire de forme | commode à tiroirs | lit mezzanine |
            chaise de salle à manger | meuble tv | armoire penderie | bibliothèque étagère | tabouret de bar |
            fauteuil scandinave | buffet en chêne | sommier | bureau d'ordinateur | meuble à chaussures |
            tête de lit | table à manger extensible""",
        en="""
            corner sofa | coffee table | memory foam mattress | chest of drawers | dining chair | tv stand |
            wardrobe | bookcase | computer desk | shoe cabinet | bed frame""",
        de="""
            Ecksofa | Couchtisch | Matratze | Kommode | Esszimmerstuhl | TV-Schrank | Kleiderschrank |
            Bücherregal | Schreibtisch | Schuhschrank | Bettgestell""",
    ),
    1920: _stock(
        fr="""
            housse de coussin | rideau occultant | parure de lit | plaid en laine | taie d'oreiller |
            nappe brodée | couette chaude | linge de maison | drap housse | galette de chaise |
            couverture polaire | voilage | jeté de canapé | tapis de bain | serviette de toilette | protège-matelas""",
        en="""
            cushion cover | blackout curtain | bedding set | wool throw | pillowcase | tablecloth |
            fleece blanket | duvet | bath mat | bath towel | sofa throw""",
        de="""
            Kissenbezug | Verdunkelungsvorhang | Bettwäsche | Wolldecke | Tischdecke | Fleecedecke |
            Spannbettlaken | Badematte | Handtuch | Tagesdecke""",
    ),
    1940: _stock(
        fr="""
            chocolat noir | sachet de thé vert | épices moulues | confiture artisanale | café en grains |
            bonbons assortis | huile d'olive vierge | miel de lavande | biscuits sablés | sirop de menthe |
            terrine de campagne | pâtes artisanales | infusion bio | café moulu | moutarde à l'ancienne |
            coffret de truffes""",
        en="""
            dark chocolate | green tea bags | ground spices | coffee beans | assorted candy | olive oil |
            honey jar | shortbread | herbal infusion | ground coffee | truffle box""",
        de="""
            Zartbitterschokolade | Grüntee | Gewürze | Kaffeebohnen | Bonbons | Olivenöl | Honig | Kekse |
            Marmelade | Kräutertee | gemahlener Kaffee | Senf""",
    ),
    2060: _stock(
        fr="""
            guirlande lumineuse | sapin de noël | statuette décorative | tableau sur toile | vase en céramique |
            porte-clés souvenir | autocollant mural | bougie parfumée | horloge murale | boule à neige |
            ruban adhésif décoratif | perles à enfiler | encens | boule de noël | figurine décorative en résine |
            lampe d'ambiance | fleurs artificielles""",
        en="""
            fairy lights | christmas tree | canvas print | ceramic vase | souvenir keyring | wall sticker |
            scented candle | wall clock | christmas bauble | decorative figurine | artificial flowers""",
        de="""
            Lichterkette | Weihnachtsbaum | Leinwandbild | Keramikvase | Wandaufkleber | Duftkerze | Wanduhr |
            Räucherstäbchen | Weihnachtskugel | Dekofigur | Kunstblumen""",
    ),
    2220: _stock(
        fr="""
            collier pour chien | litière pour chat | laisse rétractable | gamelle inox | arbre à chat |
            aquarium complet | manteau pour chien | croquettes | griffoir | niche extérieure | harnais pour chien |
            cage pour hamster | jouet pour chat | panier pour chien | fontaine à eau pour chat | brosse pour poils""",
        en="""
            dog collar | cat litter box | retractable leash | pet bowl | scratching post | aquarium kit |
            dog harness | hamster cage | cat toy | dog bed | pet fountain""",
        de="""
            Hundehalsband | Katzenklo | Hundeleine | Futternapf | Kratzbaum | Aquarium Set | Hundegeschirr |
            Hamsterkäfig | Katzenspielzeug | Hundebett | Trinkbrunnen Katze""",
    ),
    2522: _stock(
        fr="""
            cahier à spirale | stylo à bille | cartouche d'encre | classeur à levier | agrafeuse | papier a4 |
            trousse scolaire | carnet de notes | feutre effaçable | calculatrice de bureau | tampon encreur |
            perforatrice | toner compatible | agenda scolaire | lot de stylos | enveloppes kraft |
            ramette de papier""",
        en="""
            spiral notebook | ballpoint pen | ink cartridge | ring binder | stapler | copy paper | pencil case |
            whiteboard marker | school diary | pack of pens | kraft envelopes""",
        de="""
            Spiralblock | Kugelschreiber | Druckerpatrone | Aktenordner | Tacker | Kopierpapier | Federmappe |
            Taschenrechner | Terminkalender | Kugelschreiber Set | Briefumschläge""",
    ),
    2582: _stock(
        fr="""
            salon de jardin | parasol déporté | hamac suspendu | transat pliant | tonnelle de jardin |
            banc de jardin | bain de soleil | table de pique-nique | voile d'ombrage | balancelle |
            pergola aluminium | fauteuil résine tressée | table de jardin pliante | chaise longue |
            coffre de jardin | abri de terrasse""",
        en="""
            garden furniture set | cantilever parasol | hammock | folding deckchair | gazebo | garden bench |
            sun lounger | shade sail | folding garden table | chaise longue | storage box outdoor""",
        de="""
            Gartenmöbel Set | Ampelschirm | Hängematte | Liegestuhl | Pavillon | Gartenbank | Sonnenliege |
            Sonnensegel | Gartentisch klappbar | Gartenliege | Auflagenbox""",
    ),
    2583: _stock(
        fr="""
            pompe de filtration piscine | bâche à bulles | piscine gonflable | robot de piscine |
            échelle de piscine | chlore en galets | filtre à sable | liner de piscine | spa gonflable | skimmer |
            épuisette de piscine | tuyau de piscine | traitement de l'eau | enrouleur de bâche |
            bâche d'hivernage | balai de piscine | thermomètre de piscine | kit de réparation liner""",
        en="""
            pool pump | solar pool cover | inflatable pool | pool robot | pool ladder | chlorine tablets |
            sand filter | pool liner | winter pool cover | pool brush | pool thermometer""",
        de="""
            Poolpumpe | Solarplane Pool | aufblasbarer Pool | Poolroboter | Poolleiter | Chlortabletten |
            Sandfilter | Poolfolie | Winterabdeckung Pool | Poolbürste | Poolthermometer""",
    ),
    2585: _stock(
        fr="""
            taille-haie électrique | tondeuse à gazon | sécateur | tronçonneuse | arrosoir | tuyau d'arrosage |
            bêche | débroussailleuse | lame de tondeuse | pulvérisateur | serre de jardin | souffleur de feuilles |
            scie d'élagage | coupe-bordure | motoculteur | gants de jardinage | pompe d'arrosage""",
        en="""
            hedge trimmer | lawn mower | pruning shears | chainsaw | garden hose | spade | brush cutter |
            leaf blower | greenhouse | grass trimmer | gardening gloves | watering can""",
        de="""
            Heckenschere | Rasenmäher | Gartenschere | Kettensäge | Gartenschlauch | Spaten | Laubbläser |
            Gewächshaus | Rasentrimmer | Gartenhandschuhe | Gießkanne""",
    ),
}

# Details of the products of each type; they are more frequent in descriptions than in titles.
DETAILS: Mapping[int, Stock] = {
    10: _stock(
        fr="""
            tranche jaunie | dos insolé | ex-libris | pages cornées | annotations au crayon |
            tampon de bibliothèque""",
        en="""
            yellowed pages | creased spine | pencil notes | library stamp""",
        de="""
            vergilbte Seiten | Stempel | geknickter Rücken | Eselsohren""",
    ),
    2705: _stock(
        fr="""
            sous film | prix littéraire | rentrée littéraire | dernière parution | éditeur partenaire |
            jamais ouvert""",
        en="""
            shrink-wrapped | just released | publisher's price""",
        de="""
            originalverpackt | Buchpreis | soeben erschienen""",
    ),
    2403: _stock(
        fr="""
            tomes un à dix | série complète | volumes dépareillés | reliés ensemble | vendus en lot |
            année complète""",
        en="""
            full run | volumes one to ten | sold as a lot""",
        de="""
            Bände eins bis zehn | komplette Reihe | im Konvolut""",
    ),
    2280: _stock(
        fr="""
            couverture agrafée | dossier spécial | poster central | abonnés | kiosque | parution hebdomadaire""",
        en="""
            stapled cover | centrefold poster | newsstand copy""",
        de="""
            Titelseite | Heftmitte mit Poster | Kiosk""",
    ),
    40: _stock(
        fr="""
            disque sans rayure | notice absente | cartouche nettoyée | boîtier fendu | zone import |
            sauvegarde testée""",
        en="""
            no manual | disc scratches | cleaned contacts""",
        de="""
            ohne Hülle | Kratzer auf der Disc | Kontakte gereinigt""",
    ),
    50: _stock(
        fr="""
            port usb | vibration | gâchettes | bouton analogique | autonomie en jeu | prise jack""",
        en="""
            usb port | analog sticks | vibration motor""",
        de="""
            USB Anschluss | Vibration | Analogstick""",
    ),
    60: _stock(
        fr="""
            disque dur intégré | lecteur optique | scellée | résolution 4k | stockage interne | câble hdmi inclus""",
        en="""
            sealed box | hard drive | hdmi cable included""",
        de="""
            versiegelt | Festplatte | HDMI Kabel inklusive""",
    ),
    2462: _stock(
        fr="""
            câbles fournis | traces d'usure sur la coque | deux manettes testées | alimentation non d'origine |
            vendu complet""",
        en="""
            cables supplied | signs of wear | two tested pads""",
        de="""
            Kabel dabei | Gebrauchsspuren | zwei getestete Pads""",
    ),
    2905: _stock(
        fr="""
            code envoyé par courriel | configuration minimale | processeur | carte graphique |
            téléchargement immédiat | aucun disque""",
        en="""
            code sent by email | minimum specs | graphics card""",
        de="""
            Code per E-Mail | Systemanforderungen | Grafikkarte""",
    ),
    1140: _stock(
        fr="""
            socle inclus | peinte à la main | points d'articulation | boîte vitrine | édition numérotée |
            échelle réduite""",
        en="""
            display base | hand painted | points of articulation""",
        de="""
            mit Sockel | handbemalt | Gelenke""",
    ),
    1160: _stock(
        fr="""
            points de vie | énergie | holographique | near mint | extension complète | langue française | reverse""",
        en="""
            near mint | hit points | reverse holo""",
        de="""
            Kraftpunkte | Zustand near mint | Reverse Holo""",
    ),
    1180: _stock(
        fr="""
            campagne | sous-couche | grappe plastique | caractéristiques du héros | jet de dés | carnaval""",
        en="""
            plastic sprue | campaign | dice roll""",
        de="""
            Gussrahmen | Kampagne | Würfelwurf""",
    ),
    1280: _stock(
        fr="""
            lavable en machine | coins arrondis | éveil des sens | motricité | peinture non toxique | dès 3 ans""",
        en="""
            machine washable | motor skills | non-toxic paint""",
        de="""
            waschbar | Motorik | ungiftige Farbe""",
    ),
    1281: _stock(
        fr="""
            durée de partie | règles du jeu | pions | sablier | de 2 à 6 joueurs | plateau""",
        en="""
            playing time | pawns | rules included""",
        de="""
            Spieldauer | Spielfiguren | Spielregeln""",
    ),
    1300: _stock(
        fr="""
            échelle 1/43 | radiocommande 2,4 GHz | moteur brushless | temps de vol | quatre canaux | châssis""",
        en="""
            scale 1/43 | brushless motor | flight time""",
        de="""
            Maßstab 1:43 | Brushless Motor | Flugzeit""",
    ),
    1301: _stock(
        fr="""
            tapis de billard | ailettes | barres télescopiques | filet de table | score électronique""",
        en="""
            dart flights | telescopic rods | table net""",
        de="""
            Flights | Teleskopstangen | Tischnetz""",
    ),
    1302: _stock(
        fr="""
            filet de sécurité | plein air | freins | roues gonflables | leurre | âge conseillé""",
        en="""
            safety net | inflatable wheels | fishing lure""",
        de="""
            Sicherheitsnetz | Luftreifen | im Freien""",
    ),
    1320: _stock(
        fr="""
            nourrisson | sans bpa | maternité | 0 à 36 mois | naissance | puériculture""",
        en="""
            newborn | bpa free | nursery""",
        de="""
            Neugeborene | BPA-frei | Säugling""",
    ),
    1560: _stock(
        fr="""
            panneaux de particules | montage facile | pieds métal | assise rembourrée | deux tiroirs |
            notice de montage""",
        en="""
            particle board | padded seat | two drawers""",
        de="""
            Spanplatte | gepolsterter Sitz | zwei Schubladen""",
    ),
    1920: _stock(
        fr="""
            fermeture éclair | lavage à 30 degrés | sans garnissage | imprimé recto verso | coton percale |
            microfibre""",
        en="""
            hidden zipper | insert not included | microfibre""",
        de="""
            Reißverschluss | ohne Füllung | Mikrofaser""",
    ),
    1940: _stock(
        fr="""
            valeurs nutritionnelles | à consommer avant | sans gluten | saveur | ingrédients | sucre de canne""",
        en="""
            nutrition facts | best before | gluten free""",
        de="""
            Nährwerte | mindestens haltbar | glutenfrei""",
    ),
    2060: _stock(
        fr="""
            loisirs créatifs | fait main | ambiance festive | à suspendre | châssis bois | led à piles""",
        en="""
            handmade | festive | battery led""",
        de="""
            Handarbeit | festlich | LED mit Batterie""",
    ),
    2220: _stock(
        fr="""
            animaux | poils | chiot | tour de cou | chaton | rongeurs""",
        en="""
            pets | puppy | kitten""",
        de="""
            Haustiere | Welpe | Fell""",
    ),
    2522: _stock(
        fr="""
            fournitures | grammage | encre bleue | perforation | imprimante | lignes et carreaux""",
        en="""
            stationery | printer | ruled paper""",
        de="""
            Bürobedarf | Drucker | liniert""",
    ),
    2582: _stock(
        fr="""
            résine tressée | anti-uv | structure aluminium | toile ombragée | salon bas | coussins déhoussables""",
        en="""
            rattan weave | uv resistant | aluminium frame""",
        de="""
            Polyrattan | UV-beständig | Aluminiumgestell""",
    ),
    2583: _stock(
        fr="""
            bassin | hors sol | margelle | filtration | ph moins | baignade""",
        en="""
            above ground | filtration | swimming""",
        de="""
            Schwimmbecken | Filteranlage | Badespaß""",
    ),
    2585: _stock(
        fr="""
            pelouse | haies | moteur deux temps | goutte à goutte | lame acier | potager""",
        en="""
            lawn | hedges | two-stroke engine""",
        de="""
            Rasen | Hecken | Zweitaktmotor""",
    ),
}

# Groups of types that people and models confuse.
GROUPS: Mapping[str, tuple[int, ...]] = {
    "reading": (10, 2705, 2403, 2280),
    "gaming": (40, 2462, 50, 60, 2905),
    "toys": (1280, 1281, 1300, 1302, 1140, 1160, 1180, 1301),
    "home": (1560, 2582, 2585, 1920),
}

# Words for any product of a group: they hardly distinguish its types.
SHARED: Mapping[str, Stock] = {
    "reading": _stock(
        fr="""
            livre | tome | volume | édition | histoire | roman | auteur | pages | collection | numéro | lecture |
            illustrations | couverture | art | guerre | musique | cinéma | poésie | sciences | politique | voyage |
            théâtre | récit | chapitre | poche | bibliothèque | enquête | mémoires | aventure | conte | époque |
            jeunesse | dessins | photographies""",
        en="""
            book | volume | edition | story | novel | author | pages | number | reading | cover | history | art |
            war | music | science | tale | chapter | library | memoir | drawings | photographs | poetry | travel""",
        de="""
            Buch | Band | Ausgabe | Geschichte | Roman | Autor | Seiten | Nummer | Einband | Kunst | Krieg |
            Musik | Wissenschaft | Erzählung | Kapitel | Bibliothek | Reise | Zeichnungen | Fotografien | Lyrik""",
    ),
    "gaming": _stock(
        fr="""
            jeu | console | manette | version | édition | joueur | aventure | course | combat | multijoueur |
            écran | sport | zombies | niveau | pack | manches | héros | mission | stratégie | football |
            monde ouvert | boîtier | disque | saga | plateforme""",
        en="""
            game | console | controller | version | edition | player | adventure | racing | fighting |
            multiplayer | screen | pack | hero | mission | strategy | football | open world | case | disc | saga |
            platform""",
        de="""
            Spiel | Konsole | Controller | Version | Ausgabe | Spieler | Abenteuer | Rennen | Kampf | Mehrspieler |
            Paket | Held | Mission | Strategie | Fußball | offene Welt | Hülle | Disc | Saga""",
    ),
    "toys": _stock(
        fr="""
            jouet | jeu | enfant | figurine | carte | cadeau | anniversaire | collection | personnage | univers |
            héros | garçon | fille | boîte | modèle | dragon | monstre | princesse | pirate | couleurs | animal |
            robot | château | super-héros | course | chevalier | licorne | set | imagination | vaisseau |
            dinosaure | pièces""",
        en="""
            toy | game | kids | figure | card | gift | birthday | collection | character | hero | boy | girl |
            box | model | dragon | monster | animal | robot | castle | knight | unicorn | set | spaceship |
            dinosaur | pieces | princess""",
        de="""
            Spielzeug | Spiel | Kinder | Figur | Karte | Geschenk | Geburtstag | Sammlung | Held | Junge |
            Mädchen | Modell | Drache | Tier | Roboter | Burg | Ritter | Einhorn | Set | Raumschiff | Dinosaurier |
            Teile""",
    ),
    "home": _stock(
        fr="""
            table | chaise | coussin | housse | jardin | maison | bois | extérieur | salon | décoration | métal |
            terrasse | tissu | pliable | étanche | résistant | blanc | gris | anthracite | acacia | balcon | pied |
            plateau | lot | toile | hauteur réglable | rotin | acier | plastique | rangement | ensemble | vert |
            taupe""",
        en="""
            table | chair | cushion | cover | garden | home | wood | outdoor | living room | decoration | metal |
            patio | fabric | foldable | leg | tray | canvas | rattan | steel | plastic | storage | set | grey |
            white""",
        de="""
            Tisch | Stuhl | Kissen | Bezug | Garten | Haus | Holz | Terrasse | Wohnzimmer | Dekoration | Metall |
            Stoff | klappbar | Bein | Platte | Rattan | Stahl | Kunststoff | Stauraum | Set | grau | weiß""",
    ),
}

# Words for the product in ambiguous listings of types outside the groups.
VAGUE = _stock(
    fr="article | accessoire | produit | modèle | ensemble | kit complet | pièce détachée | nouveauté | assortiment",
    en="item | accessory | product | model | complete kit | spare part | assortment | must-have",
    de="Artikel | Zubehör | Produkt | Modell | Komplettset | Ersatzteil | Sortiment | Neuheit",
)

# Adjectives for any product, in the form for a sentence about "le produit", "the product", "das Produkt".
QUALITIES = _stock(
    fr="""
        neuf | pratique | résistant | léger | compact | élégant | moderne | robuste | original | coloré | classique |
        durable | polyvalent | facile à ranger | de grande qualité | fabriqué en Europe | soigné | discret | abordable |
        noir mat | bleu nuit | rouge vif | gris clair | écologique""",
    en="""
        new | practical | durable | lightweight | compact | elegant | modern | sturdy | original | colourful | classic |
        versatile | easy to store | high quality | made in Europe | affordable | matt black | navy blue | bright red""",
    de="""
        neu | praktisch | robust | leicht | kompakt | elegant | modern | langlebig | originell | farbenfroh |
        klassisch | vielseitig | hochwertig | pflegeleicht | preiswert | mattschwarz | dunkelblau | hellgrau""",
)

# Notes that sellers append to titles.
NOTES = _stock(
    fr="""
        livraison rapide | très bon état | état neuf | neuf sous emballage | garantie 2 ans | idée cadeau |
        envoi soigné | qualité supérieure | bon état | grande taille | couleur noir | petit format | expédié sous 24 h |
        satisfait ou remboursé | dernière pièce | prix réduit | stock en France""",
    en="""
        fast shipping | very good condition | like new | brand new in box | 2 year warranty | gift idea | high quality |
        good condition | large size | colour black | small format | ships within 24 h | last one | reduced price""",
    de="""
        schneller Versand | sehr guter Zustand | wie neu | neu in OVP | 2 Jahre Garantie | Geschenkidee | Top Qualität |
        guter Zustand | große Ausführung | Farbe Schwarz | kleines Format | letztes Stück | reduzierter Preis""",
)

# Titles of invented books and games; {name} and {other} are made of syllables.
WORKS: Mapping[str, tuple[str, ...]] = {
    "fr": _lines("""
        Le Secret de {name}
        Les Chroniques de {name}
        {name} {other}
        La Nuit de {name}
        Voyage à {name}
        {name} et {other}
        L'Héritage des {name}
        Au-delà de {name}
        {name} : le retour
        Les Enfants de {name}
    """),
    "en": _lines("""
        The Secret of {name}
        Chronicles of {name}
        {name} {other}
        Return to {name}
        {name} and {other}
        The Last Night in {name}
        Beyond {name}
    """),
    "de": _lines("""
        Das Geheimnis von {name}
        Die Chroniken von {name}
        {name} {other}
        Rückkehr nach {name}
        {name} und {other}
        Die Nacht von {name}
    """),
}

# Sentences about the listing: {item} is the product, {detail} and {word} describe it, {quality} and {second} are
# adjectives, {size} and {reference} are random. The sentences avoid articles, since the gender of the items is unknown.
SENTENCES: Mapping[str, tuple[str, ...]] = {
    "fr": _lines("""
        Découvrez notre {item} {brand} : un produit {quality} et {second}.
        Caractéristiques : {detail}, {word}, {size}.
        Référence {reference}, modèle {quality}.
        Avec votre {item}, profitez d'un article {quality}, pensé pour durer.
        Points forts : {detail} et {word}, le tout dans un format {quality}.
        {brand} vous propose un modèle {quality}, pour toute la famille.
        Dimensions : {size} environ. Marque : {brand}.
        À offrir ou à s'offrir : {item}, {quality} et {second}.
        Nous avons choisi {brand} pour son savoir-faire : {detail}, {word}.
        Contenu du colis : 1 x {item}, notice en français.
        Type : {item}. Particularité : {detail}.
        Vous cherchez un produit {quality} ? Ce modèle {brand} est fait pour vous.
        Thème : {word}. Style : {quality}.
        Idéal pour un usage quotidien, avec {word} et {detail}.
        Livré avec {word}, sans frais supplémentaires.
        Un modèle {quality}, {second} & facile à vivre.
        Grâce à sa conception, ce produit reste {quality} même après des années.
        Notre avis : {detail}, voilà ce qui fait la différence.
        Convient aussi bien aux petits qu'aux grands ; voir la photo pour {word}.
    """),
    "en": _lines("""
        Discover our {item} by {brand}: a {quality} and {second} product.
        Features: {detail}, {word}, {size}.
        Reference {reference}, {quality} model.
        With this {item} you get something {quality} that is made to last.
        Highlights: {detail} and {word}, all of it {quality}.
        {brand} brings you a {quality} model for the whole family.
        Dimensions: about {size}. Brand: {brand}.
        The perfect gift for them or for you: {item}, {quality} & {second}.
        Package includes: 1 x {item}, with instructions.
        Type: {item}. What makes it special: {detail}.
        Are you looking for something {quality}? This is the one.
        Theme: {word}. Style: {quality}.
        Great for everyday use, with {word} and {detail}.
        Comes with {word} at no extra cost.
    """),
    "de": _lines("""
        Entdecken Sie {item} von {brand}: ein Produkt, {quality} und {second}.
        Eigenschaften: {detail}, {word}, {size}.
        Artikelnummer {reference}, die Ausführung ist {quality}.
        Mit {item} bekommen Sie ein Produkt, das {quality} ist und lange hält.
        Besonderheiten: {detail} und {word}, alles {quality}.
        Von {brand} für die ganze Familie: {quality} und {second}.
        Maße: ungefähr {size}. Marke: {brand}.
        Das ideale Geschenk: {item}, {quality} & {second}.
        Lieferumfang: 1 x {item}, mit deutscher Anleitung.
        Art: {item}. Das Besondere daran: {detail}.
        Suchen Sie etwas, das {quality} ist? Dann ist dieses Modell das richtige für Sie.
        Thema: {word}. Stil: {quality}.
        Gut für jeden Tag, mit {word} und {detail}.
    """),
}

# Sentences that fit any listing.
BOILERPLATE: Mapping[str, tuple[str, ...]] = {
    "fr": _lines("""
        Livraison rapide et soignée, avec numéro de suivi.
        Merci de vérifier les dimensions avant l'achat.
        La couleur peut légèrement varier selon votre écran.
        Nous répondons à toutes vos questions sous 24 heures.
        Satisfait ou remboursé pendant 30 jours.
        Garantie 2 ans, service après-vente en France.
        Expédition sous emballage à bulles, retrait & retour simples.
        Veuillez autoriser un écart de 1 à 3 cm dû à la mesure manuelle.
        Article en stock, envoyé le jour même pour toute commande avant midi.
        N'hésitez pas à consulter notre boutique : frais de port réduits dès deux achats.
        Photo non contractuelle.
    """),
    "en": _lines("""
        Fast and careful shipping with a tracking number.
        Please check the size before you buy.
        The colour may differ slightly on your screen.
        We answer all your questions within 24 hours.
        Your money back within 30 days if you are not happy.
        Two year warranty, pick-up & returns made easy.
        Please allow 1 to 3 cm of difference due to manual measurement.
        In stock, sent on the same day if you order before noon.
    """),
    "de": _lines("""
        Schneller und sorgfältiger Versand mit Sendungsnummer.
        Bitte prüfen Sie die Maße vor dem Kauf.
        Die Farbe kann je nach Bildschirm leicht abweichen.
        Wir beantworten Ihre Fragen innerhalb von 24 Stunden.
        Geld zurück innerhalb von 30 Tagen.
        Zwei Jahre Garantie, Abholung & Rückgabe sind einfach.
        Bitte beachten Sie Abweichungen von 1 bis 3 cm durch das Messen von Hand.
    """),
}

SYLLABLES = _phrases(
    """
    ka | lo | mi | ra | ven | tor | bel | sin | dra | mo | fe | lu | na | zo | ri | tan | per | gal | os | ki |
    ma | vo | len | dar | quin | se | bo | ti | ar | nel | fu | gor | pa | lis | ne | wo | bra | ski | tu | hal
    | or | em | du | pli | cra | sta | yl | en
    """
)
