"""The words of the synthetic listings: per type, per group of confusable types, and of every marketplace listing.

All brands and names are put together from syllables; no real catalogue stands behind them.
"""

# code: what listings of this type, and hardly any other, are about, in French, English and German.
OF_TYPE: dict[int, dict[str, str]] = {
    10: {
        "fr": "livre d'occasion|roman broché occasion|ouvrage ancien|livre de poche usagé|exemplaire jauni|reliure usée|"
        "vieux manuel scolaire|essai philosophique annoté|récit de voyage ancien|dictionnaire usagé|livre ex-bibliothèque",
        "en": "used paperback|second-hand hardcover|former library copy|worn dust jacket|old textbook|annotated novel",
        "de": "gebrauchtes Taschenbuch|antiquarisches Buch|altes Lehrbuch|gelesener Roman|Bibliotheksexemplar",
    },
    2705: {
        "fr": "livre neuf|roman nouveauté|parution récente|livre jeunesse neuf|beau livre illustré|guide pratique neuf|"
        "manuel universitaire|recueil de nouvelles|livre de cuisine|atlas illustré|biographie inédite",
        "en": "brand new paperback|new release novel|illustrated guide|cookbook|new hardcover|study guide",
        "de": "neues Buch|Neuerscheinung|Bildband|Ratgeber neu|Kochbuch|Fachbuch neu",
    },
    2403: {
        "fr": "collection complète de volumes|lot de livres|série de mangas|bandes dessinées intégrale|lot de romans|"
        "coffret de livres|collection reliée|lot de magazines anciens|encyclopédie en volumes|tomes assortis",
        "en": "book lot|complete book series|manga set|collection of volumes|encyclopedia set|bundle of magazines",
        "de": "Büchersammlung|Bücherpaket|Manga Reihe|Lexikon in Bänden|Konvolut Hefte",
    },
    2280: {
        "fr": "magazine hebdomadaire|journal ancien|revue mensuelle|numéro hors-série|comics fascicule|gazette illustrée|"
        "supplément du dimanche|revue technique|quotidien d'époque|fanzine|bulletin trimestriel",
        "en": "weekly magazine|newspaper issue|monthly review|comic issue|vintage gazette|quarterly journal",
        "de": "Wochenzeitschrift|alte Zeitung|Monatsheft|Comicheft|Sonderheft|Illustrierte",
    },
    40: {
        "fr": "jeu vidéo d'occasion|cartouche rétro|jeu import japonais|jeu sans notice|disque rayé testé|jeu rétro loose|"
        "jeu complet d'occasion|cartouche testée|jeu import usagé",
        "en": "used video game|retro cartridge|game without manual|import game|tested game disc|loose cartridge",
        "de": "gebrauchtes Videospiel|Retro Modul|Spiel ohne Anleitung|Importspiel|getestete Spiel-Disc",
    },
    50: {
        "fr": "manette sans fil|câble de recharge console|housse pour console|casque gaming|support de manette|"
        "chargeur de manette|volant de course|carte mémoire console|grip en silicone|adaptateur secteur console|joystick",
        "en": "wireless controller|charging dock|console carrying case|gaming headset|thumb grips|racing wheel|memory card",
        "de": "kabelloser Controller|Ladestation|Konsolentasche|Gaming-Headset|Lenkrad|Speicherkarte|Netzteil Konsole",
    },
    60: {
        "fr": "console neuve|console de salon|console portable|pack console édition limitée|console rétro mini|"
        "console avec deux manettes|bundle console",
        "en": "new console|home console bundle|handheld console|limited edition console|mini retro console",
        "de": "neue Spielkonsole|Heimkonsole Bundle|Handheld Konsole|Konsole Sonderedition|Mini-Konsole",
    },
    2462: {
        "fr": "lot de jeux et accessoires|console d'occasion avec jeux|manette d'occasion|lot de manettes usagées|"
        "console usagée testée|pack jeux occasion|accessoire console reconditionné",
        "en": "used console with games|second-hand controller|bundle of used games|refurbished console accessory",
        "de": "gebrauchte Konsole mit Spielen|gebrauchter Controller|Spielepaket gebraucht|Zubehör generalüberholt",
    },
    2905: {
        "fr": "jeu pc à télécharger|clé d'activation|code de téléchargement|extension jeu pc|jeu pc dématérialisé|"
        "abonnement en ligne|logiciel de jeu windows|contenu additionnel",
        "en": "pc game download|activation key|digital code|expansion pack pc|online game card|windows game",
        "de": "PC Spiel Download|Aktivierungsschlüssel|Download Code|PC Erweiterung|Windows Spiel",
    },
    1140: {
        "fr": "figurine articulée|statuette en résine|figurine de collection|buste de héros|figurine vinyle|"
        "personnage manga pvc|porte-clés figurine|diorama|figurine d'action|réplique de dragon",
        "en": "action figure|resin statue|collectible vinyl figure|hero bust|articulated figure|pvc character",
        "de": "Actionfigur|Sammelfigur|Statue aus Resin|Vinylfigur|Büste|bewegliche Figur",
    },
    1160: {
        "fr": "carte à collectionner|booster de cartes|carte rare holographique|deck de démarrage|carte foil|"
        "display de boosters|classeur de cartes|carte commune|extension de cartes|carte brillante",
        "en": "trading card|booster pack|holo rare card|starter deck|foil card|card binder|common card",
        "de": "Sammelkarte|Booster Pack|Holo Karte selten|Starterdeck|Kartenalbum|Display Booster",
    },
    1180: {
        "fr": "figurine de jeu de rôle|livre de règles|dés polyédriques|figurine métal à peindre|écran du maître|"
        "scénario de campagne|armée de miniatures|plateau de bataille|costume de carnaval|déguisement adulte",
        "en": "role-playing miniature|rulebook|polyhedral dice|unpainted miniature|game master screen|fantasy army",
        "de": "Rollenspiel Miniatur|Regelwerk|Würfelset|unbemalte Miniatur|Spielleiterschirm|Fantasy Armee",
    },
    1280: {
        "fr": "peluche douce|jouet en bois|poupée mannequin|blocs de construction|dînette enfant|jouet d'éveil|ours en peluche|"
        "robot jouet|pistolet à eau|pâte à modeler|maison de poupée|jouet musical",
        "en": "plush toy|wooden toy|fashion doll|building blocks|toy kitchen|teddy bear|toy robot|play dough",
        "de": "Plüschtier|Holzspielzeug|Puppe|Bausteine|Spielküche|Teddybär|Spielzeugroboter|Knete",
    },
    1281: {
        "fr": "jeu de société|jeu de plateau|puzzle mille pièces|jeu d'ambiance|jeu de stratégie|jeu de questions|"
        "jeu coopératif|loto des animaux|jeu de mémoire|jeu d'échecs|dominos",
        "en": "board game|jigsaw puzzle|party game|strategy game|quiz game|memory game|chess set|dominoes",
        "de": "Brettspiel|Gesellschaftsspiel|Puzzle|Strategiespiel|Quizspiel|Schachspiel|Memospiel",
    },
    1300: {
        "fr": "voiture miniature|drone quadricoptère|voiture radiocommandée|maquette d'avion|hélicoptère télécommandé|"
        "train électrique|pièce détachée drone|batterie lipo|circuit de course|modèle réduit camion|hélice de rechange",
        "en": "diecast car|rc drone|remote control car|model aircraft kit|rc helicopter|model train|lipo battery|propeller",
        "de": "Modellauto|Drohne|ferngesteuertes Auto|Flugzeugmodell|Modelleisenbahn|Lipo Akku|Ersatzpropeller",
    },
    1301: {
        "fr": "baby-foot|jeu de fléchettes|chaussettes enfant|table de ping-pong|billard|boules de flipper|"
        "fléchette acier|balles de baby-foot|queue de billard|jeu de palets",
        "en": "table football|dartboard|ping pong table|pool cue|steel darts|foosball balls|arcade game",
        "de": "Tischfußball|Dartscheibe|Tischtennisplatte|Billardqueue|Dartpfeile|Kickerbälle",
    },
    1302: {
        "fr": "trampoline de jardin|trottinette enfant|balançoire|toboggan|cerf-volant|tricycle|ballon de plage|"
        "tente de jeu|canne à pêche|patins à roulettes|aire de jeux|bac à sable",
        "en": "garden trampoline|kids scooter|swing set|slide|kite|tricycle|play tent|roller skates|sandbox",
        "de": "Gartentrampolin|Kinderroller|Schaukel|Rutsche|Drachen|Dreirad|Spielzelt|Rollschuhe|Sandkasten",
    },
    1320: {
        "fr": "poussette bébé|tapis d'éveil|lit parapluie|couches lavables|biberon anti-colique|chaise haute|tétine|"
        "sac à langer|écharpe de portage|turbulette|siège auto|veilleuse bébé|gigoteuse",
        "en": "baby stroller|changing bag|baby bottle|high chair|pacifier|sleeping bag baby|car seat|night light baby",
        "de": "Kinderwagen|Wickeltasche|Babyflasche|Hochstuhl|Schnuller|Babyschlafsack|Autositz|Windeln",
    },
    1560: {
        "fr": "canapé d'angle|table basse|matelas mémoire de forme|commode à tiroirs|lit mezzanine|chaise de salle à manger|"
        "meuble tv|armoire penderie|bibliothèque étagère|tabouret de bar|fauteuil scandinave|buffet en chêne|sommier",
        "en": "corner sofa|coffee table|memory foam mattress|chest of drawers|dining chair|tv stand|wardrobe|bookcase",
        "de": "Ecksofa|Couchtisch|Matratze|Kommode|Esszimmerstuhl|TV-Schrank|Kleiderschrank|Bücherregal",
    },
    1920: {
        "fr": "housse de coussin|rideau occultant|parure de lit|plaid en laine|taie d'oreiller|nappe brodée|couette chaude|"
        "linge de maison|drap housse|galette de chaise|couverture polaire|voilage",
        "en": "cushion cover|blackout curtain|bedding set|wool throw|pillowcase|tablecloth|fleece blanket|duvet",
        "de": "Kissenbezug|Verdunkelungsvorhang|Bettwäsche|Wolldecke|Tischdecke|Fleecedecke|Spannbettlaken",
    },
    1940: {
        "fr": "chocolat noir|sachet de thé vert|épices moulues|confiture artisanale|café en grains|bonbons assortis|"
        "huile d'olive vierge|miel de lavande|biscuits sablés|sirop de menthe|terrine de campagne|pâtes artisanales",
        "en": "dark chocolate|green tea bags|ground spices|coffee beans|assorted candy|olive oil|honey jar|shortbread",
        "de": "Zartbitterschokolade|Grüntee|Gewürze|Kaffeebohnen|Bonbons|Olivenöl|Honig|Kekse|Marmelade",
    },
    2060: {
        "fr": "guirlande lumineuse|sapin de noël|statuette décorative|tableau sur toile|vase en céramique|porte-clés souvenir|"
        "autocollant mural|bougie parfumée|horloge murale|boule à neige|ruban adhésif décoratif|perles à enfiler|encens",
        "en": "fairy lights|christmas tree|canvas print|ceramic vase|souvenir keyring|wall sticker|scented candle|wall clock",
        "de": "Lichterkette|Weihnachtsbaum|Leinwandbild|Keramikvase|Wandaufkleber|Duftkerze|Wanduhr|Räucherstäbchen",
    },
    2220: {
        "fr": "collier pour chien|litière pour chat|laisse rétractable|gamelle inox|arbre à chat|aquarium complet|"
        "manteau pour chien|croquettes|griffoir|niche extérieure|harnais pour chien|cage pour hamster",
        "en": "dog collar|cat litter box|retractable leash|pet bowl|scratching post|aquarium kit|dog harness|hamster cage",
        "de": "Hundehalsband|Katzenklo|Hundeleine|Futternapf|Kratzbaum|Aquarium Set|Hundegeschirr|Hamsterkäfig",
    },
    2522: {
        "fr": "cahier à spirale|stylo à bille|cartouche d'encre|classeur à levier|agrafeuse|papier a4|trousse scolaire|"
        "carnet de notes|feutre effaçable|calculatrice de bureau|tampon encreur|perforatrice|toner compatible",
        "en": "spiral notebook|ballpoint pen|ink cartridge|ring binder|stapler|copy paper|pencil case|whiteboard marker",
        "de": "Spiralblock|Kugelschreiber|Druckerpatrone|Aktenordner|Tacker|Kopierpapier|Federmappe|Taschenrechner",
    },
    2582: {
        "fr": "salon de jardin|parasol déporté|hamac suspendu|transat pliant|tonnelle de jardin|banc de jardin|"
        "bain de soleil|table de pique-nique|voile d'ombrage|balancelle|pergola aluminium|fauteuil résine tressée",
        "en": "garden furniture set|cantilever parasol|hammock|folding deckchair|gazebo|garden bench|sun lounger|shade sail",
        "de": "Gartenmöbel Set|Ampelschirm|Hängematte|Liegestuhl|Pavillon|Gartenbank|Sonnenliege|Sonnensegel",
    },
    2583: {
        "fr": "pompe de filtration piscine|bâche à bulles|piscine gonflable|robot de piscine|échelle de piscine|"
        "chlore en galets|filtre à sable|liner de piscine|spa gonflable|skimmer|épuisette de piscine|tuyau de piscine|"
        "traitement de l'eau|enrouleur de bâche",
        "en": "pool pump|solar pool cover|inflatable pool|pool robot|pool ladder|chlorine tablets|sand filter|pool liner",
        "de": "Poolpumpe|Solarplane Pool|aufblasbarer Pool|Poolroboter|Poolleiter|Chlortabletten|Sandfilter|Poolfolie",
    },
    2585: {
        "fr": "taille-haie électrique|tondeuse à gazon|sécateur|tronçonneuse|arrosoir|tuyau d'arrosage|bêche|"
        "débroussailleuse|lame de tondeuse|pulvérisateur|serre de jardin|souffleur de feuilles|scie d'élagage",
        "en": "hedge trimmer|lawn mower|pruning shears|chainsaw|garden hose|spade|brush cutter|leaf blower|greenhouse",
        "de": "Heckenschere|Rasenmäher|Gartenschere|Kettensäge|Gartenschlauch|Spaten|Laubbläser|Gewächshaus",
    },
}

GROUPS: dict[str, tuple[int, ...]] = {
    "reading": (10, 2705, 2403, 2280),
    "gaming": (40, 2462, 50, 60, 2905),
    "toys": (1280, 1281, 1300, 1302, 1140, 1160, 1180, 1301),
    "home": (1560, 2582, 2585, 1920),
}

# What is said of any listing in a group, and so tells its types hardly apart.
OF_GROUP: dict[str, dict[str, str]] = {
    "reading": {
        "fr": "livre|tome|volume|édition|histoire|roman|auteur|pages|collection|numéro|lecture|illustrations|couverture|"
        "art|guerre|musique|cinéma|poésie|sciences|politique|voyage|théâtre",
        "en": "book|volume|edition|story|novel|author|pages|number|reading|cover|history|art|war|music|science",
        "de": "Buch|Band|Ausgabe|Geschichte|Roman|Autor|Seiten|Nummer|Einband|Kunst|Krieg|Musik|Wissenschaft",
    },
    "gaming": {
        "fr": "jeu|console|manette|version|édition|joueur|aventure|course|combat|multijoueur|écran|sport|zombies|niveau|pack",
        "en": "game|console|controller|version|edition|player|adventure|racing|fighting|multiplayer|screen|pack",
        "de": "Spiel|Konsole|Controller|Version|Ausgabe|Spieler|Abenteuer|Rennen|Kampf|Mehrspieler|Paket",
    },
    "toys": {
        "fr": "jouet|jeu|enfant|figurine|carte|cadeau|anniversaire|collection|personnage|univers|héros|garçon|fille|boîte|"
        "modèle|dragon|monstre|princesse|pirate|couleurs",
        "en": "toy|game|kids|figure|card|gift|birthday|collection|character|hero|boy|girl|box|model|dragon|monster",
        "de": "Spielzeug|Spiel|Kinder|Figur|Karte|Geschenk|Geburtstag|Sammlung|Held|Junge|Mädchen|Modell|Drache",
    },
    "home": {
        "fr": "table|chaise|coussin|housse|jardin|maison|bois|extérieur|salon|décoration|métal|terrasse|tissu|pliable|"
        "étanche|résistant|blanc|gris|anthracite|acacia|balcon",
        "en": "table|chair|cushion|cover|garden|home|wood|outdoor|living room|decoration|metal|patio|fabric|foldable",
        "de": "Tisch|Stuhl|Kissen|Bezug|Garten|Haus|Holz|Terrasse|Wohnzimmer|Dekoration|Metall|Stoff|klappbar",
    },
}

OF_ALL: dict[str, str] = {
    "fr": "neuf|qualité|couleur noir|couleur bleu|grande taille|petit format|rouge|vert|blanc|pratique|résistant|idéal|"
    "original|cadeau idéal|livraison rapide|bon état|très bon état|état neuf|garantie|modèle récent|haute qualité|"
    "fabriqué en Europe|léger|compact|élégant|moderne|classique|multifonction|rangement|accessoire",
    "en": "new|high quality|black|blue|large size|small|red|green|white|practical|durable|ideal gift|original|"
    "fast shipping|good condition|warranty|lightweight|compact|modern|classic|portable|accessory",
    "de": "neu|hochwertig|schwarz|blau|groß|klein|rot|grün|weiß|praktisch|robust|ideales Geschenk|original|"
    "schneller Versand|guter Zustand|Garantie|leicht|kompakt|modern|klassisch|tragbar|Zubehör",
}

# {0} to {2} are filled with words of the listing.
SENTENCES: dict[str, tuple[str, ...]] = {
    "fr": (
        "Ce produit, {0}, convient à toute la famille et s'utilise tous les jours.",
        "Découvrez {0} : {1}, avec {2}.",
        "Caractéristiques : {0}, {1} et {2}.",
        "Idéal pour offrir, {0} sera apprécié pour sa qualité.",
        "Merci de vérifier les dimensions avant l'achat ; {0} est livré dans son emballage.",
        "Nous répondons à vos questions sur {0} sous 24 heures.",
        "Facile à utiliser et à nettoyer, {0} vous accompagne partout : {1}.",
        "Contenu du colis : 1 x {0}. La couleur peut varier légèrement selon l'écran.",
        "Expédition soignée et rapide. {0}, {1}.",
        "Très recherché, {0} est disponible en quantité limitée.",
    ),
    "en": (
        "This {0} is made for everyday use and suits the whole family.",
        "Discover {0}: {1}, with {2}.",
        "Features: {0}, {1} and {2}.",
        "A great gift, {0} is valued for its quality.",
        "Please check the size before you buy; {0} comes in its packaging.",
        "Package includes: 1 x {0}. The colour may differ slightly on your screen.",
        "Easy to use and to clean, {0} goes anywhere: {1}.",
    ),
    "de": (
        "Dieses Produkt, {0}, ist für den täglichen Gebrauch und die ganze Familie gemacht.",
        "Entdecken Sie {0}: {1}, mit {2}.",
        "Eigenschaften: {0}, {1} und {2}.",
        "Ein schönes Geschenk: {0} überzeugt durch Qualität.",
        "Bitte prüfen Sie die Maße vor dem Kauf; {0} kommt in der Verpackung.",
        "Lieferumfang: 1 x {0}. Die Farbe kann je nach Bildschirm leicht abweichen.",
    ),
}

SYLLABLES = (
    "ka lo mi ra ven tor bel sin dra mo fe lu na zo ri tan per gal os ki ma vo len dar quin se bo ti ar nel fu gor pa lis "
    "ne wo bra ski tu hal or em du pli cra sta yl en"
).split()
